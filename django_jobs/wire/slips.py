"""What each runner is doing, in memory it shares with the parent: no message, no lock.

One page for the worker: the lease at the top, then a slip a runner. Only its runner writes what
a slip says while it lives. The order of the writes makes it readable at any moment: a slip says
BUSY only after all it says about the run is in place, and the serial betrays a slip that
changed while it was read. (x86-64 and the kernel's barriers in the system calls between
keep the stores in order.)

The other way only the parent writes, two words: the order to stop and the wish to cancel. Each
names the run it is meant for by its serial, which no other run of the slot ever has: the run may
be over and the next one on before the word is read, and that one must not be stopped. Its claim
token would not do, because all jobs of one claim share it.

The page is read and written by whole words, each in one store. struct.pack_into would clear
its place before it writes: a lease of 0 that ends all runners, a busy slip that seems empty.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

_WORD = 8
_LEASE = 0
# A cache line each, in words.
_TOP = _SLIP = 8
_STATE, _SERIAL, _ID_HIGH, _ID_LOW, _TOKEN, _STARTED, _STOP, _CANCEL = range(_SLIP)
_LOW = 2**64 - 1
# Serial and reason of an order to stop share a word, so that both change in one store.
_REASONS = 2**8


class SlipState(IntEnum):
    """What a runner says of itself."""

    EMPTY = 0  # no runner, or one that is still starting
    IDLE = 1  # waits for a message and holds none
    RECEIVING = 2  # may hold a message that it has not named yet
    BUSY = 3  # runs the job it names
    LEAVING = 4  # has reported its last job, reads no more and ends by itself


class StopReason(IntEnum):
    """Why a run is to stop."""

    TIMEOUT = 1
    SOFT_TIMEOUT = 2
    CANCEL = 3
    SHUTDOWN = 4


class Run(NamedTuple):
    """A run as its slip names it; started_ns is CLOCK_BOOTTIME, the serial is the slot's count of runs."""

    job_id: UUID
    token: int
    started_ns: int
    serial: int


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

    @property
    def serial(self) -> int:
        """How many runs were named here so far."""
        return self._words[_SERIAL]

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
            run = Run(UUID(int=number), words[_TOKEN], words[_STARTED], serial)
            if words[_SERIAL] == serial:
                return run

    def stop(self, run: Run, reason: StopReason) -> None:
        """Order this run, and no other, to stop."""
        self._words[_STOP] = run.serial * _REASONS + reason

    @property
    def stop_asked(self) -> StopReason | None:
        """Why the run that was named last is to stop; None where it may go on."""
        serial, reason = divmod(self._words[_STOP], _REASONS)
        return StopReason(reason) if reason and serial == self._words[_SERIAL] else None

    def ask_cancel(self, run: Run) -> None:
        """Tell this run, and no other, that somebody wants it cancelled."""
        self._words[_CANCEL] = run.serial

    def cancel_asked(self) -> Callable[[], bool]:
        """Return what tells, by a look at one word, whether somebody wants the run named last cancelled.

        That run and no other: a thread that outlives it is not told what is meant for the next.
        """
        # No word is -1, so a fresh slip's two zeros are no wish.
        words, serial = self._words, self._words[_SERIAL] or -1
        return lambda: words[_CANCEL] == serial


def _size(count: int) -> int:
    return _WORD * (_TOP + _SLIP * count)
