"""Results that are kept for a time only: noted with the ack, forgotten at a requeue, removed when due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django_jobs.engines.portable.batches import batches
from django_jobs.engines.portable.removing import delete
from django_jobs.engines.rows import Ack
from django_jobs.engines.settling import expires_at
from django_jobs.models import Job, ResultExpiry
from django_jobs.states import Status

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from django_jobs.engines.base import Engine


def note(engine: Engine, acks: Sequence[Ack]) -> None:
    """Write when results expire; every way to ack calls it in the ack's transaction, after the jobs."""
    moments = {ack.outcome.job_id: moment for ack in acks if (moment := expires_at(ack))}
    if not moments:
        return
    # One may be left of an older round, by a version that does not know them.
    delete(engine, ResultExpiry, moments)
    rows = [ResultExpiry(job_id=job_id, expires_at=moments[job_id]) for job_id in sorted(moments)]
    ResultExpiry.objects.using(engine.alias).bulk_create(rows)


def forget(engine: Engine, ids: Sequence[UUID]) -> None:
    """Delete what is noted about those of these jobs that are not completed any more."""
    for part in batches(sorted(set(ids))):
        noted = ResultExpiry.objects.using(engine.alias).filter(job__in=part)
        delete(
            engine, ResultExpiry, noted.exclude(job__status=Status.COMPLETED).values_list("job", flat=True)
        )


def expire(engine: Engine, *, now: datetime, limit: int) -> int:
    """Remove the results that are due longest; those of jobs that somebody has locked are skipped."""
    with engine.transaction():
        due = _due(engine, now).order_by("expires_at").values_list("job", flat=True)
        return sum(_expire(engine, part, now) for part in batches(list(due[:limit])))


def _expire(engine: Engine, ids: Sequence[UUID], now: datetime) -> int:
    # The jobs first, as acks and requeues take them: nobody then waits for the other in a ring.
    jobs = Job.objects.using(engine.alias).filter(pk__in=ids, status=Status.COMPLETED)
    locked = list(jobs.select_for_update(skip_locked=True).values_list("pk", flat=True))
    # Asked again now that they are ours: one may have been requeued and have completed anew.
    expired = list(_due(engine, now).filter(job__in=locked).values_list("job", flat=True))
    Job.objects.using(engine.alias).filter(pk__in=expired).update(result_data=None)
    return delete(engine, ResultExpiry, expired)


def _due(engine: Engine, now: datetime) -> QuerySet[ResultExpiry]:
    # With the job, lest rows whose job is gone come first for ever.
    return ResultExpiry.objects.using(engine.alias).filter(expires_at__lte=now, job__status=Status.COMPLETED)
