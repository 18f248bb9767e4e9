"""Jobs that have been final for long enough are removed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django_jobs.duties import PAUSE, Done, checked_interval
from django_jobs.engines import Engine
from django_jobs.states import Status


class Prune:
    """Remove final jobs by their age.

    Args:
        retention: how many seconds jobs of each final status are kept; None for ever.
        interval: seconds between two looks when there is nothing left to remove.
    """

    def __init__(self, retention: Mapping[Status, float | None], *, interval: float) -> None:
        self.interval = checked_interval(interval)
        self._kept = {status: seconds for status, seconds in retention.items() if seconds is not None}

    def run(self, engine: Engine, *, now: datetime) -> Done:
        """Remove as many jobs as may be removed at once; come back soon when there were so many."""
        left = engine.removed_at_once
        for status, seconds in self._kept.items():
            left -= engine.prune(status, before=now - timedelta(seconds=seconds), limit=left)
            if not left:
                return Done(again_at=now + PAUSE)
        return Done()
