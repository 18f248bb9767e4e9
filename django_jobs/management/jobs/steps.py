"""Much work, done in steps between which workers and web requests have their turn."""

from __future__ import annotations

import time
from collections.abc import Callable

from django_jobs.duties import PAUSE, STEP


def in_steps(step: Callable[..., int]) -> int:
    """Repeat a step with a `limit`, each a transaction of its own, until it finds less; return the sum.

    Not until it finds nothing: where jobs keep coming that would never be.
    """
    done = 0
    while (count := step(limit=STEP)) == STEP:
        done += count
        time.sleep(PAUSE.total_seconds())
    return done + count
