"""Results that are kept for a time only are removed from their jobs."""

from __future__ import annotations

from datetime import datetime

from django_jobs.duties import Done, checked_interval
from django_jobs.duties.stride import Stride
from django_jobs.engines import Engine


class Expire:
    """Remove the results whose `result_ttl` is over."""

    def __init__(self, *, interval: float) -> None:
        self.interval = checked_interval(interval)
        self._stride = Stride()

    def run(self, engine: Engine, *, now: datetime) -> Done:
        """Remove as many results as are quickly removed; come back soon when there were so many."""
        return self._stride.step(engine, lambda limit: engine.expire(now=now, limit=limit), now=now)
