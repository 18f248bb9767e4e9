"""Jobs whose worker stopped renewing their lease are settled by another."""

from __future__ import annotations

from datetime import datetime

from django_jobs import logs
from django_jobs.duties import STEP, Done, checked_interval
from django_jobs.engines import Engine
from django_jobs.engines.rows import Run
from django_jobs.engines.tally import Tally


class Rescue:
    """Settle running jobs whose lease has passed, and count their runs."""

    def __init__(self, *, interval: float, tally: Tally) -> None:
        self.interval = checked_interval(interval)
        self._tally = tally

    def run(self, engine: Engine, *, now: datetime) -> Done:
        """Rescue up to STEP jobs."""
        with self._tally.counting(engine, now=engine.read_clock) as runs:
            rescued = engine.rescue(now=now, limit=STEP)
            # Without times: when a lost run really ended nobody knows.
            runs += [Run(job.function, job.queue, job.outcome) for job in rescued]
        for job in rescued:
            logs.rescued(job_id=job.id, function=job.function, worker_id=job.worker_id, status=job.status)
        return Done(made_ready=bool(rescued), again_at=now if len(rescued) == STEP else None)
