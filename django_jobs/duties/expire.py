"""Results that are kept for a time only are removed from their jobs."""

from __future__ import annotations

from datetime import datetime

from django_jobs.duties import PAUSE, STEP, Done, checked_interval
from django_jobs.engines import Engine


class Expire:
    """Remove the results whose `result_ttl` is over."""

    def __init__(self, *, interval: float) -> None:
        self.interval = checked_interval(interval)

    def run(self, engine: Engine, *, now: datetime) -> Done:
        """Remove up to STEP results; come back soon when there were so many."""
        expired = engine.expire(now=now, limit=STEP)
        return Done(again_at=now + PAUSE if expired == STEP else None)
