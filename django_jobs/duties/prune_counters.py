"""Counters are kept for a while, and then deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

from django_jobs.duties import Done, checked_interval
from django_jobs.duties.stride import Stride
from django_jobs.engines import Engine


class PruneCounters:
    """Delete counters of minutes longer ago than `kept` (seconds)."""

    def __init__(self, *, kept: float, interval: float = 300.0) -> None:
        self.interval = checked_interval(interval)
        self._kept = timedelta(seconds=kept)
        self._stride = Stride()

    def run(self, engine: Engine, *, now: datetime) -> Done:
        """Delete as many rows as are quickly deleted; come back soon when there were so many."""
        before = now - self._kept
        return self._stride.step(
            engine, lambda limit: engine.prune_counters(before=before, limit=limit), now=now
        )
