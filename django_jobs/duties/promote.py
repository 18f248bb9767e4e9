"""Due scheduled jobs become ready."""

from __future__ import annotations

from datetime import datetime

from django_jobs.duties import STEP, Done, checked_interval
from django_jobs.engines import Engine


class Promote:
    """Make due scheduled jobs ready, and say when the next one is due."""

    def __init__(self, *, interval: float) -> None:
        self.interval = checked_interval(interval)

    def run(self, engine: Engine, *, now: datetime) -> Done:
        """Promote up to STEP jobs; the write is left out where nothing is due."""
        due = engine.next_due()
        if due is None or due > now:
            return Done(again_at=due)
        promoted = engine.promote(now=now, limit=STEP)
        return Done(made_ready=promoted > 0, again_at=now if promoted == STEP else _after(now, engine))


def _after(now: datetime, engine: Engine) -> datetime | None:
    # What is due and was not promoted is locked by someone: asking again at once would not stop asking.
    following = engine.next_due()
    return following if following and following > now else None
