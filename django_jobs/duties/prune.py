"""Jobs that have been final for long enough are removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django_jobs.duties import Done, checked_interval
from django_jobs.duties.stride import Stride, nothing
from django_jobs.engines import Engine
from django_jobs.states import Status


class Prune:
    """Remove final jobs by their age.

    Args:
        retention: how many seconds jobs of each final status are kept; None for ever.
        interval: seconds between two looks when there is nothing left to remove.
        ended: tells how many runs this worker has ended so far.
    """

    def __init__(
        self,
        retention: Mapping[Status, float | None],
        *,
        interval: float,
        ended: Callable[[], int] = nothing,
    ) -> None:
        self.interval = checked_interval(interval)
        self._stride = Stride(added=ended)
        self._kept = {status: seconds for status, seconds in retention.items() if seconds is not None}

    def run(self, engine: Engine, *, now: datetime) -> Done:
        """Remove jobs by a step of the stride; come back soon when there were so many."""
        if not self._kept:
            return Done()
        return self._stride.step(engine, lambda limit: self._remove(engine, now, limit), now=now)

    def _remove(self, engine: Engine, now: datetime, limit: int) -> int:
        left = limit
        for status, seconds in self._kept.items():
            if left:
                left -= engine.prune(status, before=now - timedelta(seconds=seconds), limit=left)
        return limit - left
