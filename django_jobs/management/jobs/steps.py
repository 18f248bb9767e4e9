"""Much work, done in steps between which workers and web requests have their turn."""

from __future__ import annotations

import time
from collections.abc import Callable

from django_jobs.duties import PAUSE
from django_jobs.engines import Engine


def in_steps(engine: Engine, step: Callable[[], int]) -> int:
    """Repeat a step, each time in a transaction of its own, until it finds nothing; return the sum."""
    done = 0
    while count := engine.repeated(step):
        done += count
        time.sleep(PAUSE.total_seconds())
    return done
