"""What any worker does for all of them: one duty, one file, one interval. No leader, no lock.

Guarded updates make it harmless when two workers do the same duty at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django_jobs.engines import Engine

# So many rows a duty may change at a time: acks and renewals wait no longer than that.
STEP = 200
# Whoever takes steps of a fixed size, as people do by hand, rests so long between two; `stride.py` measures.
# SQLite's writers do not queue: without a rest an enqueue beside it took 77 ms instead of 0.4 (p95), with it
# 10, and 3,000 rows a second go.
PAUSE = timedelta(seconds=0.05)


@dataclass(frozen=True, slots=True)
class Done:
    """What one turn of a duty did.

    Attributes:
        made_ready: whether it made jobs ready, so that a claim is worth while now.
        again_at: when the next turn should come, if before the interval is over.
        expects: whether a later turn will most likely make some ready: a burst is not over then.
    """

    made_ready: bool = False
    again_at: datetime | None = None
    expects: bool = False


class Duty(Protocol):
    """Something to be done every `interval` seconds."""

    interval: float

    def run(self, engine: Engine, *, now: datetime) -> Done:
        """Do at most STEP rows of it, or as many as `stride.py` finds."""
        ...


def checked_interval(interval: float) -> float:
    """Return the interval (seconds).

    Raises:
        ValueError: it is not above 0.
    """
    if not interval > 0:
        raise ValueError(f"a duty's interval must be above 0 seconds, not {interval!r}")
    return interval
