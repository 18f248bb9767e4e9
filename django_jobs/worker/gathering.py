"""Short jobs end many at a time: how long to wait for some more of them.

A transaction takes about as long for one job as for fifty, a turn of the loop as long for one report as for
ten, and while the desk writes and the loop turns they keep the interpreter from one another. So while runners
have enough to do for a while, both are left alone for a moment. As soon as they have not, nothing waits: the
one job that comes to an idle worker is handed out, written and told of at once.
"""

from __future__ import annotations

from django_jobs.wire.clock import boottime
from django_jobs.worker.pace import GATHER_SECONDS, Pace
from django_jobs.worker.work import Work

# The loop leaves reports alone for so long (seconds) while each slot has so many jobs waiting in the socket.
NAP, ENOUGH = 0.0005, 16


class Gathering:
    """Whether ends of short jobs are still gathered before they are written."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._since: float | None = None

    def nap(self, *, out: int) -> float:
        """Return for how long (seconds) no report needs to be read; 0 for not at all.

        Args:
            out: how many jobs are in the socket or in a runner that reads it.
        """
        return NAP if out >= (1 + ENOUGH) * self._pace.slots else 0.0

    def patience(self, work: Work, *, waiting: bool) -> float:
        """Return for how long (seconds) the desk need not be told of this work; 0 when it is to be told now.

        Args:
            waiting: whether jobs are left that could be handed out meanwhile.
        """
        if waiting and work.only_ends and len(work.finished) < self._pace.batch:
            now = boottime()
            self._since = self._since or now
            if (left := self._since + GATHER_SECONDS - now) > 0:
                return left
        self._since = None
        return 0.0
