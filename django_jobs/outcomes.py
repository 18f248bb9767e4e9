"""What one run of a job came to: the only thing running hands to reporting."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django_jobs.notes import Note
from django_jobs.states import AttemptOutcome, ErrorKind


def fingerprint(function: str, exception_type: str, place: str) -> str:
    """Return 16 hexadecimal digits that errors of one cause share."""
    text = f"{function}\n{exception_type}\n{place}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """What went wrong, as clean and truncated text; exceptions themselves never travel."""

    kind: ErrorKind
    exception_type: str
    message: str
    traceback: str = ""
    fingerprint: str = ""

    @property
    def summary(self) -> str:
        """The line that a list of jobs shows."""
        return f"{self.exception_type}: {self.message}" if self.message else self.exception_type


class Outcome(NamedTuple):
    """The end of one run, with the decision what becomes of the job.

    Attributes:
        job_id: the job's id.
        token: the claim token the run was made under; the fence of every write.
        outcome: how the run ended.
        retry_in: seconds until the next attempt; None where there is none. An interrupted
            run goes back in place at once and needs no retry_in.
        result_data: the encoded result of a completed run, None for a plain None.
        error: what went wrong, None for a completed or interrupted run.
        started_ns, finished_ns: CLOCK_BOOTTIME in nanoseconds.
        note: what the run has said of itself, None if nothing. The parent adds it: it travels by itself.
    """

    job_id: UUID
    token: int
    outcome: AttemptOutcome
    retry_in: float | None = None
    result_data: str | None = None
    error: ErrorReport | None = None
    started_ns: int = 0
    finished_ns: int = 0
    note: Note | None = None

    @property
    def final(self) -> bool:
        """Whether the job is finished with this run."""
        return self.retry_in is None and self.outcome is not AttemptOutcome.INTERRUPTED
