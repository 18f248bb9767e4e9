"""Counters are kept for a while, and then deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

from django_jobs.duties import PAUSE, STEP, Done, checked_interval
from django_jobs.engines import Engine


class PruneCounters:
    """Delete counters of minutes longer ago than `kept` (seconds)."""

    def __init__(self, *, kept: float, interval: float = 300.0) -> None:
        self.interval = checked_interval(interval)
        self._kept = timedelta(seconds=kept)

    def run(self, engine: Engine, *, now: datetime) -> Done:
        """Delete up to STEP rows."""
        deleted = engine.prune_counters(before=now - self._kept, limit=STEP)
        return Done(again_at=now + PAUSE if deleted == STEP else None)
