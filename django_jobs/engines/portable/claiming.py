"""Take ready jobs, say that they run, keep them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from django_jobs.engines.portable.batches import batches
from django_jobs.engines.rows import ClaimedJob, Held, Started
from django_jobs.models import Job
from django_jobs.states import Status

if TYPE_CHECKING:
    from django_jobs.engines.base import Engine
    from django_jobs.models.queries import JobQuerySet

COLUMNS = ClaimedJob._fields[: ClaimedJob._fields.index("token")]
BEST_FIRST = ("-priority", "run_after", "id")


def claim(
    engine: Engine, queues: Sequence[str], n: int, *, worker_id: str, token: int, lease: datetime
) -> list[ClaimedJob]:
    """Lock the best rows of each queue, merge them, mark the best of all.

    Two steps, since an UPDATE over a locking subquery with LIMIT claimed more than the limit on
    PostgreSQL with stale statistics, and MariaDB refuses it.
    """
    if not queues or n < 1:
        return []
    with engine.transaction():
        jobs = _lock(engine, queues, n, token)
        for part in batches([job.id for job in jobs]):
            _ready(engine).filter(pk__in=part).update(
                status=Status.RUNNING, worker_id=worker_id, claim_token=token, lease=lease
            )
        charge_next_death(engine, jobs)
    return jobs


def _ready(engine: Engine) -> JobQuerySet:
    return Job.objects.using(engine.alias).filter(status=Status.READY)


def _lock(engine: Engine, queues: Sequence[str], n: int, token: int) -> list[ClaimedJob]:
    found = [
        ClaimedJob._make((*row, token, None))
        for queue in dict.fromkeys(queues)
        for row in _ready(engine)
        .filter(queue=queue)
        .order_by(*BEST_FIRST)
        .select_for_update(skip_locked=True)
        .values_list(*COLUMNS)[:n]
    ]
    return best_first(found)[:n]


def best_first(jobs: list[ClaimedJob]) -> list[ClaimedJob]:
    """Sort as every claim does: priority, then due time, then id."""
    try:
        return sorted(jobs, key=lambda job: (-job.priority, job.run_after, job.id.int))
    except TypeError:  # a spoilt row among them, which SQLite can hold; whoever runs them finds it out
        return jobs


def charge_next_death(engine: Engine, jobs: Sequence[ClaimedJob]) -> None:
    """Store a start for claimed jobs that were interrupted too often, so that a rescuer charges them."""
    often = [job for job in jobs if job.runs_alone]
    if often:
        now = engine.read_clock()
        engine.start([Started(Held(job.id, job.token), now) for job in often])


def holding(engine: Engine, held: Held) -> JobQuerySet:
    """Return the one row a fence lets through: this job, running, under this token."""
    return Job.objects.using(engine.alias).filter(pk=held.id, status=Status.RUNNING, claim_token=held.token)


def start(engine: Engine, runs: Sequence[Started]) -> None:
    """Store each start; a claim that is no longer ours is left alone."""
    if not runs:
        return
    with engine.transaction():
        for run in sorted(runs):
            holding(engine, run.held).update(started_at=run.started_at)


def renew(engine: Engine, held: Sequence[Held], *, lease: datetime) -> list[Held]:
    """Extend the claims token by token; only when some did not match, look which."""
    if not held:
        return []
    lost: list[Held] = []
    with engine.transaction():
        for token, group in groupby(sorted(held, key=lambda one: (one.token, one.id)), lambda one: one.token):
            for part in batches([one.id for one in group]):
                lost += [Held(job_id, token) for job_id in _renew(engine, part, token, lease)]
    return lost


def _renew(engine: Engine, ids: Sequence[UUID], token: int, lease: datetime) -> list[UUID]:
    ours = Job.objects.using(engine.alias).filter(pk__in=ids, status=Status.RUNNING, claim_token=token)
    if ours.update(lease=lease) == len(ids):
        return []
    kept = set(ours.values_list("pk", flat=True))
    return [job_id for job_id in ids if job_id not in kept]


def claimed_by(engine: Engine, worker_id: str) -> list[Held]:
    """Look through the running jobs, of which there are few."""
    running = Job.objects.using(engine.alias).filter(status=Status.RUNNING, worker_id=worker_id)
    rows = running.values_list("pk", "claim_token")
    return [Held(job_id, token) for job_id, token in rows if token is not None]
