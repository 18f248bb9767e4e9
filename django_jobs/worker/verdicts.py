"""What becomes of a job whose run was stopped or whose runner died."""

from __future__ import annotations

import os
import signal
from enum import StrEnum

from django_jobs import retries
from django_jobs.engines.rows import ClaimedJob
from django_jobs.outcomes import ErrorReport, Outcome, fingerprint
from django_jobs.states import AttemptOutcome, ErrorKind
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.messages import CUT_OFF


class Verdict(StrEnum):
    """Why the worker stopped a run or killed a runner."""

    TIMEOUT = "its job ran too long"
    CANCELLED = "its job was cancelled"
    SHUTDOWN = "the grace period is over"
    LEASE = "the lease has passed"
    LOST = "its job is not this worker's any more"
    FOLLOWED = "it was killed for the job before or beside"
    AMONG = "it died with several jobs, and which was the reason nobody knows"
    STUCK = "it took a message and named no job"
    DEAF = "it waited and took no message"
    ORPHANED = "the nursery died"
    LINGERED = "it had run its last job and did not end"


def outcome_of_death(
    job: ClaimedJob, *, verdict: Verdict | None, status: int, started_ns: int
) -> Outcome | None:
    """Return the outcome of a run that ended with its runner; None where it is not ours to say."""
    match verdict:
        case Verdict.LOST:
            return None
        case Verdict.TIMEOUT:
            return _timed_out(job, "and was killed", started_ns=started_ns)
        case Verdict.CANCELLED:
            return _outcome(job, AttemptOutcome.CANCELLED, started_ns=started_ns)
        case Verdict():
            return _outcome(job, AttemptOutcome.INTERRUPTED, started_ns=started_ns)
        case None:
            error = _error(job, ErrorKind.CRASH, "RunnerDied", f"its runner {cause_of_death(status)}")
            return _charged(job, AttemptOutcome.CRASHED, error, started_ns=started_ns)


def outcome_of_stopped(job: ClaimedJob, *, verdict: Verdict, report: Outcome) -> Outcome:
    """Return the outcome of a run that was told to stop and has reported after that."""
    return _verdict_on(job, verdict, report)._replace(note=report.note)


def _verdict_on(job: ClaimedJob, verdict: Verdict, report: Outcome) -> Outcome:
    completed, started_ns = report.outcome is AttemptOutcome.COMPLETED, report.started_ns
    if verdict is not Verdict.TIMEOUT:
        ended = AttemptOutcome.CANCELLED if verdict is Verdict.CANCELLED else AttemptOutcome.INTERRUPTED
        # Nothing was wrong with it: what it has done nevertheless need not be done again.
        return report if completed else _outcome(job, ended, started_ns=started_ns)
    if completed:
        return _timed_out(job, "and did not stop in time; its result was dropped", started_ns=started_ns)
    # Where it hung.
    traceback = report.error.traceback if report.error else ""
    return _timed_out(job, "and was stopped", started_ns=started_ns, traceback=traceback)


def cause_of_death(status: int) -> str:
    """Return a wait status in words."""
    code = os.waitstatus_to_exitcode(status)
    if code == CUT_OFF:
        return f"exited with code {code}: its job had closed the connection to the worker"
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _timed_out(job: ClaimedJob, end: str, *, started_ns: int, traceback: str = "") -> Outcome:
    text = f"ran longer than its timeout of {job.timeout:g} s {end}"
    error = _error(job, ErrorKind.TIMEOUT, "Timeout", text, traceback=traceback)
    return _charged(job, AttemptOutcome.TIMED_OUT, error, started_ns=started_ns)


def _error(
    job: ClaimedJob, kind: ErrorKind, exception_type: str, message: str, *, traceback: str = ""
) -> ErrorReport:
    # All timeouts of a function are one group: where each was stopped is chance.
    mark = fingerprint(str(job.function), exception_type, message if kind is ErrorKind.CRASH else "")
    return ErrorReport(kind, exception_type, message, traceback, mark)


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
