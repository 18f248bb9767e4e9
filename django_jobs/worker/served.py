"""Which queues the worker claims from now: those it serves that have ready jobs and are not paused.

They are looked up, but not those it was told of: a job that comes to an idle worker waits for no question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from django_jobs.engines import Engine
from django_jobs.wire.clock import boottime
from django_jobs.worker.queue_list import QueueList

# While jobs keep coming, the list is looked up again after so long (seconds): a pause holds within a
# second, and the last claim needs a moment as well.
TTL = 0.9


class ServedQueues:
    """The list of queues, as last looked up.

    Args:
        foresee: is told with each look when the next scheduled job is due.

    Attributes:
        due: when it was due at the last look; None when there was none.
    """

    def __init__(
        self, engine: Engine, choice: QueueList, *, foresee: Callable[[datetime | None], None]
    ) -> None:
        self._engine, self._choice, self._foresee = engine, choice, foresee
        self.due: datetime | None = None
        self._names: list[str] = []
        self._told_of: list[str] = []
        self._paused: set[str] = set()
        self._told: set[str] = set()
        self._good_until = 0.0

    def names(self) -> list[str]:
        """Return the queues to claim from; of those it was told of, some may be paused."""
        if self._told_of:
            return self._told_of
        if self.asks_next:
            asked = boottime()
            ready, paused, self.due = self._engine.outlook()
            self._paused = set(paused)
            self._names = [name for name in self._choice.among(ready) if name not in self._paused]
            self._good_until = asked + TTL
            self._foresee(self.due)
        return self._names

    def forget(self) -> None:
        """Look the list up again when it is next asked for."""
        self._told_of, self._good_until = [], 0.0

    @property
    def asks_next(self) -> bool:
        """Whether the list will be looked up when it is next asked for."""
        return not self._told_of and boottime() >= self._good_until

    def tell_of(self, queues: Iterable[str]) -> None:
        """Claim from these next, which have a ready job; the engine leaves out those that are paused."""
        self._told_of = sorted(queues)

    def claimed(self) -> None:
        """Take note that a claim was made: what it was told of is over."""
        if self._told_of:
            self.forget()

    def newly_paused(self) -> set[str]:
        """Return the queues that were found paused since this was last asked."""
        newly, self._told = self._paused - self._told, self._paused
        return newly
