"""This worker's row in the list of workers: for people to see, and nothing is decided by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django_jobs.engines import Engine
from django_jobs.engines.rows import WorkerRow
from django_jobs.logs import logger
from django_jobs.wire.clock import boottime, boottime_ns
from django_jobs.worker.clock import DatabaseClock
from django_jobs.worker.trouble import SAY_EVERY


class Presence:
    """Shows the worker while it runs. Whatever goes wrong with that, claims and acks go on."""

    def __init__(self, engine: Engine, worker: WorkerRow, *, clock: DatabaseClock) -> None:
        self._engine, self._worker, self._clock = engine, worker, clock
        self._started_ns = boottime_ns()
        self._say_at = 0.0

    def show(self) -> None:
        """Store that the worker is there."""
        started_at = self._clock.at(self._started_ns)
        self._try(lambda: self._engine.appear(self._worker, started_at=started_at, now=self._clock.now()))

    def end(self) -> None:
        """Remove the row."""
        self._try(lambda: self._engine.vanish([self._worker.id]))

    def _try(self, write: Callable[[], Any]) -> None:
        try:
            self._engine.repeated(write)
        except Exception as error:
            # A connection that broke here shows itself to whoever needs it next.
            if boottime() >= self._say_at:
                logger.warning("the list of workers is not right about this one: %s", error)
                self._say_at = boottime() + SAY_EVERY
