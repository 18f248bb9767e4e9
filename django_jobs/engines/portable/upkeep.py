"""What time brings: due jobs, lost leases, holds that fall; and the database's time itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db.models import Case, F, Value, When

from django_jobs import retries
from django_jobs.engines.portable import noting
from django_jobs.engines.portable.batches import batches
from django_jobs.engines.rows import Ack, Held, Rescued
from django_jobs.engines.settling import settle
from django_jobs.models import Job
from django_jobs.notes import Note
from django_jobs.outcomes import ErrorReport, Outcome, fingerprint
from django_jobs.states import AttemptOutcome, ErrorKind, Status

if TYPE_CHECKING:
    from django_jobs.engines.base import Engine
    from django_jobs.models.queries import JobQuerySet

# SQL has no common spelling for "this very moment, in UTC, with fractions of a second".
_CLOCKS = {
    "postgresql": "SELECT clock_timestamp()",
    "mysql": "SELECT UTC_TIMESTAMP(6)",
    "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
}


def read_clock(engine: Engine) -> datetime:
    """Ask the database for its time."""
    connection = engine.connection
    with connection.cursor() as cursor:
        cursor.execute(_CLOCKS.get(connection.vendor, "SELECT CURRENT_TIMESTAMP"))
        (now,) = cursor.fetchone()
    moment = now if isinstance(now, datetime) else datetime.fromisoformat(now)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def unhold(engine: Engine, ids: Sequence[UUID], *, now: datetime) -> int:
    """Count down each waiting job once; those without a hold leave."""
    if not ids:
        return 0
    with engine.transaction():
        return sum(_unhold(engine, part, now) for part in batches(sorted(set(ids))))


def _unhold(engine: Engine, ids: Sequence[UUID], now: datetime) -> int:
    waiting = Job.objects.using(engine.alias).filter(status=Status.WAITING, pk__in=ids)
    # Locked in id order first: two that count down the same children would wait for each other in a ring.
    list(waiting.order_by("id").select_for_update().values_list("pk"))
    waiting.update(holds=F("holds") - 1)
    due = Case(When(run_after__gt=now, then=Value(Status.SCHEDULED.value)), default=Value(Status.READY.value))
    return waiting.filter(holds__lte=0).update(status=due, holds=0, reason="")


def promote(engine: Engine, *, now: datetime, limit: int) -> int:
    """Make the longest due jobs ready; those another worker is promoting are skipped."""
    with engine.transaction():
        due = _scheduled(engine).filter(run_after__lte=now).select_for_update(skip_locked=True)
        ids = list(due.values_list("pk", flat=True)[:limit])
        jobs = Job.objects.using(engine.alias).filter(status=Status.SCHEDULED)
        return sum(jobs.filter(pk__in=part).update(status=Status.READY, reason="") for part in batches(ids))


def next_due(engine: Engine) -> datetime | None:
    """Look at the first scheduled job in the due index."""
    return _scheduled(engine).values_list("run_after", flat=True).first()


def _scheduled(engine: Engine) -> JobQuerySet:
    return Job.objects.using(engine.alias).filter(status=Status.SCHEDULED).order_by("run_after")


class _Lost(NamedTuple):
    id: UUID
    function: str
    queue: str
    options: str | None
    max_attempts: int
    round: int
    attempts: int
    worker_id: str
    started_at: datetime | None
    claim_token: int
    lease: datetime

    @property
    def held(self) -> Held:
        return Held(self.id, self.claim_token)


def rescue(engine: Engine, *, now: datetime, limit: int) -> list[Rescued]:
    """Ack in the name of the lost workers; a row that its worker is just writing is skipped."""
    with engine.transaction():
        running = Job.objects.using(engine.alias).filter(status=Status.RUNNING, lease__lt=now)
        # In no order: few jobs run at a time, and an order would only add a sort.
        lost = running.select_for_update(skip_locked=True).values_list(*_Lost._fields)
        found = [_Lost(*row) for row in lost[:limit]]
        said = noting.logs(engine, [job.held for job in found])
        acks = [_verdict(job, now, said.get(job.held)) for job in found]
        amended = {one.held: one for one in engine.ack(acks)}
    refused = {one.held for one in amended.values() if one.outcome is None}
    cancelled = {one.held for one in amended.values() if one.cancelled}
    return [
        _rescued(job, ack, cancelled=ack.held in cancelled)
        for job, ack in zip(found, acks, strict=True)
        if ack.held not in refused
    ]


def _verdict(job: _Lost, now: datetime, log: str | None) -> Ack:
    number = job.attempts + 1
    outcome = Outcome(*job.held, AttemptOutcome.INTERRUPTED)
    if job.started_at is not None:
        retry_in = retries.without_exception(job.options, number=number, max_attempts=job.max_attempts)
        outcome = Outcome(*job.held, AttemptOutcome.CRASHED, retry_in=retry_in, error=_worker_lost(job))
    outcome = replace(outcome, note=Note(log=log))  # else the log would go with the note of the next attempt
    return Ack(outcome, job.round, number, job.worker_id, job.started_at, finished_at=now)


def _worker_lost(job: _Lost) -> ErrorReport:
    return ErrorReport(
        kind=ErrorKind.CRASH,
        exception_type="WorkerLost",
        message=f"worker {job.worker_id} was lost; its lease ended at {job.lease:%Y-%m-%d %H:%M:%S} UTC",
        fingerprint=fingerprint(job.function, "WorkerLost", ErrorKind.CRASH),
    )


def _rescued(job: _Lost, ack: Ack, *, cancelled: bool) -> Rescued:
    outcome = ack.outcome.outcome
    status = settle(ack).status if outcome.charged else Status.READY
    status = Status.CANCELLED if cancelled else status
    return Rescued(job.id, job.function, job.queue, job.worker_id, status, outcome)
