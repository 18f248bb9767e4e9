"""What runs have said of themselves: the newest of each, handed to the desk at most once a second.

It also stays here until the run has ended, so that it is written with the outcome even of a run
that was killed.
"""

from __future__ import annotations

from collections.abc import Container

from django_jobs.engines.rows import Held
from django_jobs.notes import Note
from django_jobs.wire.clock import boottime

EVERY = 1.0


class Notes:
    """The newest note of each run that has said something."""

    def __init__(self) -> None:
        self._newest: dict[Held, Note] = {}
        self._fresh: set[Held] = set()
        self._next_at = 0.0

    def keep(self, held: Held, note: Note) -> None:
        """Take note of what a run says now."""
        self._newest[held] = note
        self._fresh.add(held)

    def end(self, held: Held) -> Note | None:
        """Take out what a run that has ended said last; None if it said nothing."""
        if (note := self._newest.pop(held, None)) is not None:
            self._fresh.discard(held)
        return note

    def due(self, out: Container[Held]) -> dict[Held, Note]:
        """Return what is to be written now; forget runs that are not out any more."""
        for held in [held for held in self._newest if held not in out]:
            self.end(held)
        if not self._fresh or boottime() < self._next_at:
            return {}
        self._next_at = boottime() + EVERY
        due = {held: self._newest[held] for held in self._fresh}
        self._fresh.clear()
        return due

    @property
    def wait(self) -> float:
        """When to look again at the latest (seconds)."""
        return max(0.0, self._next_at - boottime()) if self._fresh else float("inf")
