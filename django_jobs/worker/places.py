"""Where a worker's runners are: how many places there are for them, and whose each slip is.

A place is a process that may be there. With several threads each has as many seats: a job runs in a seat,
and each seat has a slip. There are more places than processes then. A runner that has stopped a
job leaves, and takes no other, but its neighbours go on to their end, which may be long: so that
this costs no slot, a successor begins beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

# So many runners (or as many as there are processes) may be leaving while all successors are there.
SPARE = 3


@dataclass(frozen=True, slots=True)
class Places:
    """The places of one worker; the one behind those that share a socket is for a job that runs alone.

    Attributes:
        processes: how many runners take jobs.
        threads: how many jobs each of them runs at once.
    """

    processes: int
    threads: int = 1

    @property
    def slots(self) -> int:
        """How many jobs run at once."""
        return self.processes * self.threads

    @property
    def shared(self) -> int:
        """How many places there are for runners that share a socket."""
        # A runner without neighbours leaves at once.
        return self.processes + (max(self.processes, SPARE) if self.threads > 1 else 0)

    @property
    def alone(self) -> int:
        """The number of the place for one job alone."""
        return self.shared

    @property
    def slips(self) -> int:
        """How many slips all seats have."""
        return self.shared * self.threads + 1

    def threads_of(self, place: int) -> int:
        """Return how many seats a place has."""
        return 1 if place == self.alone else self.threads

    def slips_of(self, place: int) -> range:
        """Return the numbers of the slips of a place."""
        first = place * self.threads
        return range(first, first + self.threads_of(place))
