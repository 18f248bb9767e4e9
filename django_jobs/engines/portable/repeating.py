"""Deadlocks and serialization failures: the database undid one of two, and says to try again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from django.db import Error

from django_jobs.engines.transient import is_conflict

if TYPE_CHECKING:
    from django_jobs.engines.base import Engine

T = TypeVar("T")
# How long to wait before each further try (seconds), on average; who loses all of them is told.
PAUSES = (0.005, 0.02, 0.05, 0.1, 0.2, 0.4)


def repeated(engine: Engine, write: Callable[[], T]) -> T:
    """Write, and again after each conflict, a bounded number of times."""
    if _in_callers_transaction(engine):
        return write()
    for pause in PAUSES:
        try:
            return write()
        except Error as error:
            if not is_conflict(error):
                raise
        # Jitter, so that the same two do not meet again.
        time.sleep(pause * random.uniform(0.5, 1.5))
    return write()


def _in_callers_transaction(engine: Engine) -> bool:
    # The database undid the caller's own writes as well, and only the caller can make them again.
    connection = engine.connection
    return connection.in_atomic_block or not connection.get_autocommit()
