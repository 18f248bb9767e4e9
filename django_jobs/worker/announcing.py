"""From what the database has committed to the signals that are to be sent of it, where anybody listens.

The parent calls no receiver: it only asks whether there are any, which the project's start-up has connected
in this process as in those of the runners.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django_jobs import announcements, signals
from django_jobs.context import JobInfo
from django_jobs.engines.rows import Ack, Amended, ClaimedJob, NewJob, Rescued
from django_jobs.outcomes import Outcome
from django_jobs.states import AttemptOutcome
from django_jobs.wire.events import Event
from django_jobs.worker.inbox import Happened, Outbox

Said = tuple[str, dict[str, Any]]


class Settled(NamedTuple):
    """A finished job, the ack of its run, and what was written of that where it was not that alone."""

    job: ClaimedJob
    ack: Ack
    amended: Amended | None = None

    @property
    def outcome(self) -> Outcome | None:
        """What was written of the run; None: nothing was, because the claim is no longer ours."""
        return self.ack.outcome if self.amended is None else self.amended.outcome

    @property
    def cancelled(self) -> bool:
        """Whether the job was cancelled, and does not go where its outcome would lead it."""
        return self.amended is not None and self.amended.cancelled

    @property
    def enqueued(self) -> NewJob | None:
        """The job that the dead one's on_failure has made."""
        return self.amended and self.amended.enqueued


class Announcer:
    """Gathers the events of one transaction, and posts them once it has committed. For the desk's thread.

    Args:
        database: the alias the queue is written on.
    """

    def __init__(self, worker_id: str, database: str, outbox: Outbox) -> None:
        self._worker_id, self._database, self._outbox = worker_id, database, outbox
        self._events: list[bytes] = []
        self._anybody_listens = any(map(signals.is_heard_at_all, signals.EVENTS.values()))

    def settled(self, settled: Settled) -> None:
        """Tell how a run ended and what became of its job."""
        if self._anybody_listens and settled.outcome is not None:
            self._ended(self._info(settled.job), settled.outcome, cancelled=settled.cancelled)
            self._enqueued(settled.enqueued)

    def rescued(self, jobs: Sequence[Rescued]) -> None:
        """Tell what became of jobs whose worker was lost."""
        if not self._anybody_listens:
            return
        for job in jobs:
            self._ended(self._info_of_lost(job), job.ack.outcome, cancelled=job.status == "cancelled")
            self._enqueued(job.enqueued)
        self.post()

    def cancelled(self, job: ClaimedJob) -> None:
        """Tell that a claimed job was cancelled before it began."""
        if self._anybody_listens:
            self._say("job_cancelled", self._info(job), {})

    def worker(self, signal: str) -> None:
        """Tell something of this worker itself, now."""
        self._say(signal, None, {"worker_id": self._worker_id})
        self.post()

    def post(self) -> None:
        """Have told what was gathered."""
        if self._events:
            self._outbox.post(Happened(self._events))
            self._events = []

    def _ended(self, job: JobInfo, outcome: Outcome, *, cancelled: bool) -> None:
        for signal, details in _said(outcome, cancelled=cancelled):
            self._say(signal, job, details)

    def _enqueued(self, row: NewJob | None) -> None:
        if row is not None:
            self._say("job_enqueued", announcements.info_of(row, self._database), {})

    def _say(self, signal: str, job: JobInfo | None, details: dict[str, Any]) -> None:
        if signals.is_heard(signals.EVENTS[signal], job.function if job else None):
            self._events.append(Event(signal, job, details).to_bytes())

    def _info(self, job: ClaimedJob) -> JobInfo:
        return JobInfo(
            id=job.id,
            function=job.function,
            queue=job.queue,
            priority=job.priority,
            attempt=job.number,
            round=job.round,
            max_attempts=job.max_attempts,
            worker_id=self._worker_id,
            database=self._database,
        )

    def _info_of_lost(self, job: Rescued) -> JobInfo:
        return JobInfo(
            id=job.id,
            function=str(job.function),  # of a spoilt row it may be anything
            queue=job.queue,
            priority=job.priority,
            attempt=job.ack.number,
            round=job.ack.round,
            max_attempts=job.max_attempts,
            worker_id=job.worker_id,
            database=self._database,
        )


def _said(outcome: Outcome, *, cancelled: bool) -> Iterator[Said]:
    """Yield what is told of the end of a run: of the attempt first, then of the job."""
    error = {"error": outcome.error}
    if outcome.error is not None:
        if outcome.outcome is AttemptOutcome.TIMED_OUT:
            yield "attempt_timed_out", error
        yield "attempt_failed", {**error, "outcome": outcome.outcome}
    if cancelled or outcome.outcome is AttemptOutcome.CANCELLED:
        yield "job_cancelled", {}
    elif outcome.outcome is AttemptOutcome.COMPLETED:
        yield "job_completed", {"seconds": (outcome.finished_ns - outcome.started_ns) / 1e9}
    elif outcome.error is not None and outcome.retry_in is None:
        yield "job_dead", error
    elif outcome.error is not None:
        yield "retry_scheduled", {**error, "delay": outcome.retry_in}
