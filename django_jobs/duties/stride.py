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
# A worker that ends jobs faster than it removes them rests less, and takes longer steps where that is not
# enough: for each it removes so many. But no step is to take longer than so (seconds): renewals wait for it.
AHEAD, LONGEST = 2.0, 0.25


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
        self._seconds_a_row = 0.0
        self._more = False

    def step(self, engine: Engine, remove: Callable[[int], int], *, now: datetime) -> Done:
        """Remove as many rows as are quickly removed, or as a busy worker has to; come back for more.

        Args:
            remove: removes up to so many rows, returns how many it did.
        """
        removal, moment, added = engine.removal, boottime(), self._added()
        # What was added while there was nothing to remove is not old yet.
        owed = int(AHEAD * (added - self._added_then)) if self._more else 0
        limit, all_of_it = self._limit(removal, owed)
        self._more = False  # should the step fail, the next one is a short one
        with engine.transaction():
            # Not from before it: waiting for the one lock of SQLite keeps nobody else waiting.
            begun = boottime()
            removed = remove(limit)
            took = boottime() - begun
        pace = max(added - self._added_then, 1e-6) / max(moment - self._then, 1e-6)
        self._added_then, self._then, self._more = added, moment, removed == limit
        if not self._more:
            return Done()
        rest = self._rest(removal, limit, took, pace)
        return Done(again_at=now + timedelta(seconds=rest if all_of_it else 0.0))

    def _limit(self, removal: Removal, owed: int) -> tuple[int, bool]:
        """Return how many rows to remove, and whether those are all that this worker owes.

        A busy one has a turn for its duties only so often: in each it has to remove what it adds between two,
        though that takes longer, or the table grows for as long as it is busy.
        """
        if self._rows is None:
            return removal.most, True
        most = min(removal.most, int(LONGEST / max(self._seconds_a_row, 1e-6)))
        return max(LEAST, int(self._rows), min(most, owed)), owed < most

    def _rest(self, removal: Removal, rows: int, took: float, pace: float) -> float:
        """Return how long (seconds) to rest, so that short steps are enough where they come often enough.

        Args:
            rows: how many were removed.
            took: how long that took (seconds).
            pace: how many rows a second were added.
        """
        self._seconds_a_row = took / rows
        before = rows if self._rows is None else max(LEAST, self._rows)
        quick = removal.seconds / max(self._seconds_a_row, 1e-6)
        self._rows = min(removal.most, _between(SHORTER * before, quick, LONGER * before))
        return min(removal.rests * took, max(0.0, max(LEAST, self._rows) / (AHEAD * pace) - took))


def _between(least: float, value: float, most: float) -> float:
    return max(least, min(most, value))
