"""Where the claims of this worker left off, so that the next one need not look there again.

A transaction that somebody leaves open keeps the database from tidying up: each claim then steps over all
that was ever claimed since. While that takes long, most claims begin where the one before them ended.
"""

from __future__ import annotations

from typing import NamedTuple

from django_jobs.engines.rows import ClaimedJob
from django_jobs.engines.stretches import Place
from django_jobs.wire.clock import boottime

# A look at everything that takes longer, by so much for each job, is too dear to be the only way (seconds).
COSTLY, EACH = 0.003, 0.00005
# Then there is one each second, or so rarely that it takes a tenth of the time: it finds what has come back
# to a place before, was committed late, was enqueued by a clock that is behind or with another priority.
FULL_LOOK_EVERY, SHARE = 1.0, 10
# Each place is one more to look at: what was left off longest ago is looked at as a whole again.
MOST = 50


class Look(NamedTuple):
    """What one look has claimed, the best first, whether it was at everything, how long it took (seconds)."""

    jobs: list[ClaimedJob]
    full: bool
    seconds: float

    @property
    def cheap(self) -> bool:
        """Whether there can be such a look whenever there is room."""
        return self.seconds <= COSTLY + EACH * len(self.jobs)


class Floors:
    """The last job claimed of each queue and priority."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, int], Place] = {}
        self._full_at = 0.0

    def places(self) -> list[Place]:
        """Return from where on to look; nothing when it is time to look at everything."""
        return [] if boottime() >= self._full_at else list(self._places.values())

    def took(self, look: Look) -> None:
        """Take note of a look that was committed."""
        if look.full and look.cheap:
            self._places, self._full_at = {}, 0.0
            return
        if look.full:
            self._full_at = boottime() + max(FULL_LOOK_EVERY, SHARE * look.seconds)
        # Also back: where many have come back before a place, each look must find the next of them.
        for job in look.jobs:
            self._places.pop((job.queue, job.priority), None)
            self._places[job.queue, job.priority] = Place(job.queue, job.priority, job.run_after, job.id)
        for key in list(self._places)[:-MOST]:
            del self._places[key]
