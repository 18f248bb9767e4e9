"""How many rows a duty removes at a time, and how long it rests: by what its own steps take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django_jobs.duties import Done
from django_jobs.engines import Engine
from django_jobs.engines.nature import Removal
from django_jobs.wire.clock import boottime

# A step of fewer rows is hardly shorter.
LEAST = 10
# By how much the next step is made shorter or longer at most: one that happened to be slow says little.
SHORTER, LONGER = 0.5, 1.25
# A worker that ends jobs faster than it removes them rests less: for each it removes so many.
AHEAD = 2.0


def nothing() -> int:
    """Return that none were added."""
    return 0


class Stride:
    """Paces a duty that may have millions of rows to remove.

    Whoever meets a step waits for it, as all who write do on SQLite: the rest that follows makes that seldom,
    and the length of a step makes the wait short. How many rows that is depends on the disk, the load, and
    how large results are; so each step is measured.

    Args:
        added: tells how many rows this worker has added so far, which it will have to remove some day.
    """

    def __init__(self, *, added: Callable[[], int] = nothing) -> None:
        self._added, self._added_then, self._then = added, added(), boottime()
        self._rows: float | None = None
        self._more = False

    def step(self, engine: Engine, remove: Callable[[int], int], *, now: datetime) -> Done:
        """Remove up to as many rows as are quickly removed; come back after a rest when there were so many.

        Args:
            remove: removes up to so many rows, returns how many it did.
        """
        added, seconds = self._since_then()
        limit = self._limit(engine.removal, added if self._more else 0)
        with engine.transaction():
            # Not from before it: waiting for the one lock of SQLite keeps nobody else waiting.
            begun = boottime()
            removed = remove(limit)
            took = boottime() - begun
        self._more = removed == limit
        if not self._more:
            return Done()
        self._rows = self._quickly_removed(engine.removal, limit, took)
        rest = min(engine.removal.rests * took, limit * seconds / (AHEAD * max(added, 1e-6)))
        return Done(again_at=now + timedelta(seconds=rest))

    def _since_then(self) -> tuple[int, float]:
        """Return how many rows this worker has added since the step before, in how many seconds."""
        now, added = boottime(), self._added()
        since = added - self._added_then, max(now - self._then, 1e-6)
        self._then, self._added_then = now, added
        return since

    def _limit(self, removal: Removal, added: int) -> int:
        if self._rows is None:
            return removal.most
        # A busy worker has a turn for its duties only so often: in each it has to remove what it adds between
        # two, though that takes longer, or the table grows for as long as it is busy.
        return max(LEAST, int(self._rows), min(removal.most, int(AHEAD * added)))

    def _quickly_removed(self, removal: Removal, rows: int, took: float) -> float:
        """Return how many rows take as long as a step may, by the step that removed so many in so long."""
        before = rows if self._rows is None else max(LEAST, self._rows)
        quick = rows * removal.seconds / max(took, 1e-6)
        return min(removal.most, _between(SHORTER * before, quick, LONGER * before))


def _between(least: float, value: float, most: float) -> float:
    return max(least, min(most, value))
