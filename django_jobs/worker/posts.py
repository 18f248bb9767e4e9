"""What each runner of a worker is given: the socket it reads, its slip, and for how many jobs.

Besides the runners that share one socket there is a place for one that runs a single job with
nobody beside it (see `ClaimedJob.runs_alone`): it has a socket of its own and one seat, and ends
after that job.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace

from django_jobs.context import Workplace
from django_jobs.recycling import Recycling
from django_jobs.wire.events import EVENTS_SLOT
from django_jobs.wire.slips import Slips
from django_jobs.worker.event_line import EventLine
from django_jobs.worker.places import Places

_ONE_JOB = Recycling(max_jobs=1)


@dataclass(frozen=True, slots=True)
class Posts:
    """The runners' side of a worker, place by place.

    Attributes:
        jobs: the socket that the runners of all places but one share.
        alone: the socket of the one that works alone.
        events: what the runner in EVENTS_SLOT has, who runs no job but tells receivers of signals.
    """

    places: Places
    jobs: socket.socket
    alone: socket.socket
    slips: Slips
    workplace: Workplace
    recycling: Recycling
    events: EventLine

    def socket_of(self, slot: int) -> socket.socket:
        """Return what the runner of a place reads and reports on."""
        if slot == EVENTS_SLOT:
            return self.events.runner
        return self.alone if slot == self.places.alone else self.jobs

    def slip_of(self, slot: int) -> int:
        """Return the number of the first slip of a place."""
        return 0 if slot == EVENTS_SLOT else self.places.slips_of(slot).start

    def workplace_of(self, slot: int) -> Workplace:
        """Return what the jobs of a place know of it."""
        return replace(self.workplace, threads=self.places.threads_of(slot))

    def slips_of(self, slot: int) -> Slips:
        """Return the page that the slip of a slot is on."""
        return self.events.slips if slot == EVENTS_SLOT else self.slips

    def recycling_of(self, slot: int) -> Recycling:
        """Return what the runner of a place may come to before it is replaced."""
        return _ONE_JOB if slot == self.places.alone else self.recycling
