"""Jobs whose worker stopped renewing their lease are settled by another."""

from __future__ import annotations

from datetime import datetime

from django_jobs import logs
from django_jobs.duties import STEP, Done, checked_interval
from django_jobs.engines import Engine


class Rescue:
    """Settle running jobs whose lease has passed."""

    def __init__(self, *, interval: float) -> None:
        self.interval = checked_interval(interval)

    def run(self, engine: Engine, *, now: datetime) -> Done:
        """Rescue up to STEP jobs."""
        rescued = engine.rescue(now=now, limit=STEP)
        for job in rescued:
            logs.rescued(job_id=job.id, function=job.function, worker_id=job.worker_id, status=job.status)
        return Done(made_ready=bool(rescued), again_at=now if len(rescued) == STEP else None)
