"""What is told to whoever listens: Django signals, each sent once and at most once.

Importable before `django.setup()`. Every one has `job`, a `JobInfo` (for `job_started` the `JobContext`),
except those of workers; `sender` is the registered `JobFunction`, None where this process knows none.

In the process that calls, right after the change, within the caller's transaction where there is one:
`job_enqueued`, `job_requeued`, `job_replayed`, and `job_cancelled` of a pending job.

In the process that runs the job, just before its code: `job_started`.

In a process that the worker keeps for nothing else, after the database has committed: all others.
"""

from __future__ import annotations

from typing import Any, Final

from django.dispatch import Signal

from django_jobs import logs, registry
from django_jobs.context import JobInfo
from django_jobs.exceptions import UnknownJobFunction

# A job is stored.
job_enqueued: Final = Signal()
# A final job begins a new round.
job_requeued: Final = Signal()
# A new job was made of a dead letter. Also: replay_of, the letter's id.
job_replayed: Final = Signal()
# An attempt begins.
job_started: Final = Signal()
# A job is completed. Also: seconds, how long its run took.
job_completed: Final = Signal()
# An attempt failed, timed out or crashed; what comes of it is told next.
# Also: error, an ErrorReport; outcome, an AttemptOutcome.
attempt_failed: Final = Signal()
# An attempt was ended at its time limit; attempt_failed is sent too. Also: error.
attempt_timed_out: Final = Signal()
# A job is tried again. Also: error; delay, in so many seconds.
retry_scheduled: Final = Signal()
# A job is a dead letter. Also: error.
job_dead: Final = Signal()
# A job is cancelled, be it before it ran or as it was asked to end.
job_cancelled: Final = Signal()
# A worker began, or ended in good order. Both: worker_id.
worker_started: Final = Signal()
worker_stopped: Final = Signal()

# Those that a worker has told by a process of their own.
EVENTS: Final[dict[str, Signal]] = {
    "job_enqueued": job_enqueued,
    "job_completed": job_completed,
    "attempt_failed": attempt_failed,
    "attempt_timed_out": attempt_timed_out,
    "retry_scheduled": retry_scheduled,
    "job_dead": job_dead,
    "job_cancelled": job_cancelled,
    "worker_started": worker_started,
    "worker_stopped": worker_stopped,
}


def is_heard_at_all(signal: Signal) -> bool:
    """Return whether anybody is connected to a signal."""
    return bool(signal.receivers)


def is_heard(signal: Signal, function: str | None = None) -> bool:
    """Return whether anybody listens to what a signal says of this function's jobs."""
    return bool(signal.receivers) and signal.has_listeners(_sender(function))


def send(signal: Signal, job: JobInfo | None, **details: Any) -> None:
    """Call the receivers; what they raise is logged and changes nothing.

    Raises:
        BaseException: what is no `Exception` (KeyboardInterrupt, SystemExit) ends more than a receiver.
    """
    if not signal.receivers:  # asked before and after every job
        return
    if job is not None:
        details["job"] = job
    sender = _sender(job.function if job else None)
    for receiver, answer in signal.send_robust(sender=sender, **details):
        if isinstance(answer, Exception):
            logs.receiver_failed(receiver=receiver, error=answer, job_id=job.id if job else None)


def _sender(function: str | None) -> registry.RegisteredFunction | None:
    try:
        return registry.find(function) if function else None
    except UnknownJobFunction:
        return None
