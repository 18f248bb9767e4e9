"""The workers' counters of closed minutes become one row for all."""

from __future__ import annotations

from datetime import datetime

from django_jobs.duties import PAUSE, STEP, Done, checked_interval
from django_jobs.engines import Engine
from django_jobs.engines.tally import CLOSED_AFTER


class Fold:
    """Add up what the workers counted in minutes to which nobody writes any more."""

    def __init__(self, *, interval: float = 60.0) -> None:
        self.interval = checked_interval(interval)

    def run(self, engine: Engine, *, now: datetime) -> Done:
        """Fold up to STEP rows."""
        folded = engine.fold(before=now - CLOSED_AFTER, limit=STEP)
        return Done(again_at=now + PAUSE if folded == STEP else None)
