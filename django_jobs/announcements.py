"""What the calling process tells of its own changes: which jobs they are, and their signals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from uuid import UUID

from django.dispatch import Signal

from django_jobs import signals
from django_jobs.context import JobInfo
from django_jobs.engines.portable.batches import batches
from django_jobs.engines.rows import NewJob
from django_jobs.models import Job
from django_jobs.states import Status

# What is told of a stored job: one may carry a megabyte besides, and thousands may be changed at once.
_TOLD = ("function", "queue", "status", "priority", "attempts", "round", "max_attempts", "worker_id")


def enqueued(rows: Iterable[NewJob], alias: str) -> None:
    """Tell of new jobs."""
    if signals.job_enqueued.receivers:
        for row in rows:
            signals.send(signals.job_enqueued, info_of(row, alias))


def replayed(letter: UUID, row: NewJob, alias: str) -> None:
    """Tell of a new job and of the letter it was made of."""
    if signals.job_replayed.receivers:
        signals.send(signals.job_replayed, info_of(row, alias), replay_of=letter)


def found(signal: Signal, ids: Sequence[UUID], from_: Set[Status], alias: str) -> list[JobInfo]:
    """Lock these jobs; return those that are in one of these states. Nothing of it where nobody listens.

    A verb in the same transaction then changes exactly these, for it only counts what it changes.
    """
    if not signal.receivers:
        return []
    jobs = Job.objects.using(alias).only(*_TOLD).order_by("id").select_for_update()
    stored = [job for part in batches(sorted(ids)) for job in jobs.filter(pk__in=part)]
    return [_info(job, alias) for job in stored if job.status in from_]


def info_of(row: NewJob, alias: str) -> JobInfo:
    """Return what is told of a new job."""
    return JobInfo(
        id=row.id,
        function=row.function,
        queue=row.queue,
        priority=row.priority,
        attempt=0,
        round=1,
        max_attempts=row.max_attempts,
        worker_id="",
        database=alias,
    )


def _info(job: Job, alias: str) -> JobInfo:
    return JobInfo(
        id=job.pk,
        function=job.function,
        queue=job.queue,
        priority=job.priority,
        attempt=job.attempts,
        round=job.round,
        max_attempts=job.max_attempts,
        worker_id=job.worker_id,
        database=alias,
    )
