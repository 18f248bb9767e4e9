"""What a run says of itself while it goes on: plain values, as they travel and as they are read."""

from __future__ import annotations

from typing import NamedTuple


class Progress(NamedTuple):
    """How far a job has come.

    Attributes:
        current: how much is done, in the job's own unit.
        total: how much there is to do; None where the job did not say.
        note: what the job does just now, in its own words.
    """

    current: float
    total: float | None = None
    note: str = ""

    @property
    def fraction(self) -> float | None:
        """The share that is done, 0 to 1; None where the total is not known."""
        if self.total is None:
            return None
        return min(max(self.current / self.total, 0.0), 1.0) if self.total else 1.0

    def __str__(self) -> str:
        far = _number(self.current)
        if self.total is not None and self.fraction is not None:
            far = f"{far} of {_number(self.total)} ({int(self.fraction * 100)} %)"
        return f"{far}, {self.note}" if self.note else far


class Note(NamedTuple):
    """All that a run has said so far; None for what it has not.

    Attributes:
        progress: the newest.
        meta: what was saved last, encoded; also by an attempt before.
        log: its newest lines.
    """

    progress: Progress | None = None
    meta: str | None = None
    log: str | None = None


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:g}"
