"""What time brings: due jobs, lost leases, holds that fall; and the database's time itself."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db.models import Case, F, Q, Value, When

from django_jobs import retries
from django_jobs.engines.portable import noting
from django_jobs.engines.portable.batches import batches
from django_jobs.engines.rows import Ack, Amended, Held, Lease, Rescued
from django_jobs.engines.settling import settle
from django_jobs.models import Job
from django_jobs.models.sound import LARGEST
from django_jobs.notes import Note
from django_jobs.options import on_failure
from django_jobs.outcomes import ErrorReport, Outcome, fingerprint
from django_jobs.policies import CEILING
from django_jobs.states import AttemptOutcome, ErrorKind, Status

if TYPE_CHECKING:
    from django_jobs.engines.base import Engine
    from django_jobs.models.queries import JobQuerySet

# Twice what may be set.
LONGEST_LEASE = timedelta(seconds=2 * CEILING)
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
    priority: int
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


def leases(engine: Engine) -> list[Lease]:
    """Read the few rows that run."""
    running = Job.objects.using(engine.alias).filter(status=Status.RUNNING)
    found = set(running.values_list("claim_token", "lease"))
    return [Lease(token, ends) for token, ends in found if token is not None and ends is not None]


def note_watched(engine: Engine, notes: Mapping[Lease, datetime]) -> None:
    """Do so lease by lease: of those that nobody renews there are few."""
    running = Job.objects.using(engine.alias).filter(status=Status.RUNNING)
    with engine.transaction():
        for one, note in sorted(notes.items()):
            running.filter(_any_of([one])).update(lease=note)


def rescue(engine: Engine, *, now: datetime, limit: int, over: Sequence[Lease] | None) -> list[Rescued]:
    """Ack in the name of the lost workers; a row that its worker is just writing is skipped.

    Given those leases that are over, whatever the clock says, only what is still under one of them.
    """
    ended = Q(lease__lt=now) if over is None else _any_of(over)
    with engine.transaction():
        if over is None:
            _mend_claims(engine, now)
        running = Job.objects.using(engine.alias).filter(ended, status=Status.RUNNING)
        # In no order: few jobs run at a time, and an order would only add a sort.
        lost = running.select_for_update(skip_locked=True).values_list(*_Lost._fields)
        found = [_Lost(*row) for row in lost[:limit]]
        said = noting.logs(engine, [job.held for job in found])
        acks = [_verdict(job, now, said.get(job.held)) for job in found]
        amended = {one.held: one for one in engine.ack(acks)}
    written = [amended.get(ack.held) or Amended(ack.held, ack.outcome) for ack in acks]
    return [
        _rescued(job, ack._replace(outcome=one.outcome), one)
        for job, ack, one in zip(found, acks, written, strict=True)
        if one.outcome is not None
    ]


def _any_of(leases: Sequence[Lease]) -> Q:
    # One that was renewed since it was looked at is another.
    these = (Q(claim_token=one.token, lease=one.ends) for one in leases)
    return Q(Q(pk__in=[]), *these, _connector=Q.OR)


def _mend_claims(engine: Engine, now: datetime) -> None:
    """Let leases end that never would, and be ended by a token: no claim has left such rows."""
    running = Job.objects.using(engine.alias).filter(status=Status.RUNNING)
    endless = Q(lease=None) | Q(lease__gt=now + LONGEST_LEASE)
    if running.filter(endless | Q(claim_token=None)).exists():
        running.filter(endless).update(lease=now - LONGEST_LEASE)
        running.filter(claim_token=None).update(claim_token=secrets.randbits(63))


def _verdict(job: _Lost, now: datetime, log: str | None) -> Ack:
    number = min(max(job.attempts, 0), LARGEST - 1) + 1
    outcome = Outcome(*job.held, AttemptOutcome.INTERRUPTED)
    if job.started_at is not None:
        retry_in = retries.without_exception(job.options, number=number, max_attempts=job.max_attempts)
        outcome = Outcome(*job.held, AttemptOutcome.CRASHED, retry_in=retry_in, error=_worker_lost(job))
    outcome = outcome._replace(note=Note(log=log))  # else the log would go with the note of the next attempt
    then = on_failure(job.options, of=job.function)
    return Ack(outcome, job.round, number, job.worker_id, job.started_at, finished_at=now, on_failure=then)


def _worker_lost(job: _Lost) -> ErrorReport:
    return ErrorReport(
        kind=ErrorKind.CRASH,
        exception_type="WorkerLost",
        message=f"worker {job.worker_id} was lost; its lease ended at {job.lease:%Y-%m-%d %H:%M:%S} UTC",
        fingerprint=fingerprint(job.function, "WorkerLost", ErrorKind.CRASH),
    )


def _rescued(job: _Lost, ack: Ack, one: Amended) -> Rescued:
    status = settle(ack).status if ack.outcome.outcome.charged else Status.READY
    status = Status.CANCELLED if one.cancelled else status
    return Rescued(job.id, job.function, job.queue, job.priority, job.max_attempts, status, ack, one.enqueued)
