"""What becomes of a job whose runner died."""

from __future__ import annotations

import os
import signal
from enum import StrEnum

from django_jobs import retries
from django_jobs.engines.rows import ClaimedJob
from django_jobs.outcomes import ErrorReport, Outcome, fingerprint
from django_jobs.states import AttemptOutcome, ErrorKind
from django_jobs.wire.clock import boottime_ns


class Verdict(StrEnum):
    """Why the worker killed a runner."""

    TIMEOUT = "its job ran too long"
    SHUTDOWN = "the grace period is over"
    LEASE = "the lease has passed"
    LOST = "its job is not this worker's any more"
    FOLLOWED = "it was killed for the job before"
    STUCK = "it took a message and named no job"
    ORPHANED = "the nursery died"


def outcome_of_death(
    job: ClaimedJob, *, verdict: Verdict | None, status: int, started_ns: int
) -> Outcome | None:
    """Return the outcome of a run that ended with its runner; None where it is not ours to say."""
    match verdict:
        case Verdict.LOST:
            return None
        case Verdict.SHUTDOWN | Verdict.LEASE | Verdict.FOLLOWED | Verdict.STUCK | Verdict.ORPHANED:
            return _outcome(job, AttemptOutcome.INTERRUPTED, started_ns=started_ns)
        case Verdict.TIMEOUT:
            text = f"ran longer than its timeout of {job.timeout:g} s and was killed"
            error = _error(job, ErrorKind.TIMEOUT, "Timeout", text)
            return _charged(job, AttemptOutcome.TIMED_OUT, error, started_ns=started_ns)
        case _:
            error = _error(job, ErrorKind.CRASH, "RunnerDied", f"its runner {cause_of_death(status)}")
            return _charged(job, AttemptOutcome.CRASHED, error, started_ns=started_ns)


def cause_of_death(status: int) -> str:
    """Return a wait status in words."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _error(job: ClaimedJob, kind: ErrorKind, exception_type: str, message: str) -> ErrorReport:
    mark = fingerprint(str(job.function), exception_type, message if kind is ErrorKind.CRASH else "")
    return ErrorReport(kind, exception_type, message, fingerprint=mark)


def _charged(job: ClaimedJob, outcome: AttemptOutcome, error: ErrorReport, *, started_ns: int) -> Outcome:
    retry_in = retries.without_exception(job.options, number=job.number, max_attempts=job.max_attempts)
    return _outcome(job, outcome, error=error, retry_in=retry_in, started_ns=started_ns)


def _outcome(
    job: ClaimedJob,
    outcome: AttemptOutcome,
    *,
    started_ns: int,
    error: ErrorReport | None = None,
    retry_in: float | None = None,
) -> Outcome:
    return Outcome(
        job.id,
        job.token,
        outcome,
        retry_in=retry_in,
        error=error,
        started_ns=started_ns,
        finished_ns=boottime_ns(),
    )
