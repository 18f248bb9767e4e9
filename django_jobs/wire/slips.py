"""What each runner is doing, in memory it shares with the parent: no message, no lock.

One page for the worker: the lease at the top, then a slip a runner. Only its runner writes a
slip while it lives. The order of the writes makes it readable at any moment: a slip says
BUSY only after all it says about the run is in place, and the serial betrays a slip that
changed while it was read. (x86-64 and the kernel's barriers in the system calls between
keep the stores in order.)

The page is read and written by whole words, each in one store. struct.pack_into would clear
its place before it writes: a lease of 0 that ends all runners, a busy slip that seems empty.
"""

from __future__ import annotations

import mmap
import os
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

_WORD = 8
_LEASE = 0
# A cache line each, in words.
_TOP = _SLIP = 8
_STATE, _SERIAL, _ID_HIGH, _ID_LOW, _TOKEN, _STARTED = range(6)
_LOW = 2**64 - 1


class SlipState(IntEnum):
    """What a runner says of itself."""

    EMPTY = 0  # no runner, or one that is still starting
    IDLE = 1  # waits for a message and holds none
    RECEIVING = 2  # may hold a message that it has not named yet
    BUSY = 3  # runs the job it names


class Run(NamedTuple):
    """A run as its slip names it; started_ns is CLOCK_BOOTTIME."""

    job_id: UUID
    token: int
    started_ns: int


class Slips:
    """The worker's page of slips, one for each runner."""

    def __init__(self, fd: int, count: int) -> None:
        self.fd, self.count = fd, count
        self._words = memoryview(mmap.mmap(fd, _size(count))).cast("Q")

    @classmethod
    def create(cls, count: int) -> Slips:
        """Return a new page in memory that children may inherit."""
        fd = os.memfd_create("django_jobs slips")
        os.truncate(fd, _size(count))
        return cls(fd, count)

    @property
    def lease_ns(self) -> int:
        """Until when (CLOCK_BOOTTIME) all the worker's claims are good."""
        return self._words[_LEASE]

    @lease_ns.setter
    def lease_ns(self, until: int) -> None:
        self._words[_LEASE] = until

    def close(self) -> None:
        """Close the descriptor here; the memory goes with the last slip that is looked at."""
        os.close(self.fd)

    def __getitem__(self, slot: int) -> Slip:
        start = _TOP + _SLIP * slot
        return Slip(self._words[start : start + _SLIP])


class Slip:
    """One runner's slip."""

    def __init__(self, words: memoryview[int]) -> None:
        self._words = words

    @property
    def state(self) -> SlipState:
        """What the runner says of itself now."""
        return SlipState(self._words[_STATE])

    def say(self, state: SlipState) -> None:
        """Write the state alone."""
        self._words[_STATE] = state

    def busy(self, job_id: UUID, token: int, started_ns: int) -> None:
        """Name the run that starts now; the slip must not be busy before."""
        words, number = self._words, job_id.int
        words[_SERIAL] += 1
        words[_ID_HIGH], words[_ID_LOW] = number >> 64, number & _LOW
        words[_TOKEN], words[_STARTED] = token, started_ns
        words[_STATE] = SlipState.BUSY

    def run(self) -> Run | None:
        """Return the run the slip names, None unless it is busy."""
        words = self._words
        while True:
            # The serial before the state: a slip that is busy after it names this run or a later one.
            serial = words[_SERIAL]
            if words[_STATE] != SlipState.BUSY:
                return None
            number = words[_ID_HIGH] << 64 | words[_ID_LOW]
            run = Run(UUID(int=number), words[_TOKEN], words[_STARTED])
            if words[_SERIAL] == serial:
                return run


def _size(count: int) -> int:
    return _WORD * (_TOP + _SLIP * count)
