"""The rows of workers that were killed, and so could not remove them, go."""

from __future__ import annotations

from datetime import datetime, timedelta

from django_jobs.duties import STEP, Done, checked_interval
from django_jobs.engines import Engine


class ForgetWorkers:
    """Remove the rows of workers that nobody has seen for so long (seconds)."""

    def __init__(self, *, interval: float, unseen: float) -> None:
        self.interval, self._unseen = checked_interval(interval), timedelta(seconds=unseen)

    def run(self, engine: Engine, *, now: datetime) -> Done:
        """Remove up to STEP rows. Nothing but the list depends on them: jobs are rescued by their leases."""
        engine.forget_workers(seen_before=now - self._unseen, limit=STEP)
        return Done()
