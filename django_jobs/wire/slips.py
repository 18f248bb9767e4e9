"""What each runner is doing, in memory it shares with the parent: no message, no lock.

One page for the worker: the lease at the top, then a slip a runner. Only its runner writes a
slip while it lives. The order of the writes makes it readable at any moment: a slip says
BUSY only after all it says about the run is in place, and the serial betrays a slip that
changed while it was read. (x86-64 and the kernel's barriers in the system calls between
keep the stores in order.)
"""

from __future__ import annotations

import mmap
import os
import struct
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

_LEASE = struct.Struct("=Q")
_STATE = struct.Struct("=Q")
_RUN = struct.Struct("=Q16sqQ")  # serial, job id, token, started_ns
_TOP = 64
_SLIP = 64


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
        self._page = mmap.mmap(fd, _TOP + _SLIP * count)

    @classmethod
    def create(cls, count: int) -> Slips:
        """Return a new page in memory that children may inherit."""
        fd = os.memfd_create("django_jobs slips")
        os.truncate(fd, _TOP + _SLIP * count)
        return cls(fd, count)

    @property
    def lease_ns(self) -> int:
        """Until when (CLOCK_BOOTTIME) all the worker's claims are good."""
        return int(_LEASE.unpack_from(self._page, 0)[0])

    @lease_ns.setter
    def lease_ns(self, until: int) -> None:
        _LEASE.pack_into(self._page, 0, until)

    def close(self) -> None:
        """Free the memory and the descriptor here; other processes keep theirs."""
        self._page.close()
        os.close(self.fd)

    def __getitem__(self, slot: int) -> Slip:
        return Slip(self._page, _TOP + _SLIP * slot)


class Slip:
    """One runner's slip."""

    def __init__(self, page: mmap.mmap, offset: int) -> None:
        self._page, self._at, self._run_at = page, offset, offset + _STATE.size
        self._serial = 0

    @property
    def state(self) -> SlipState:
        """What the runner says of itself now."""
        return SlipState(_STATE.unpack_from(self._page, self._at)[0])

    def say(self, state: SlipState) -> None:
        """Write the state alone."""
        _STATE.pack_into(self._page, self._at, state)

    def busy(self, job_id: UUID, token: int, started_ns: int) -> None:
        """Name the run that starts now."""
        self._serial += 1
        _RUN.pack_into(self._page, self._run_at, self._serial, job_id.bytes, token, started_ns)
        self.say(SlipState.BUSY)

    def run(self) -> Run | None:
        """Return the run the slip names, None unless it is busy."""
        while self.state is SlipState.BUSY:
            serial, job_id, token, started_ns = _RUN.unpack_from(self._page, self._run_at)
            again = _RUN.unpack_from(self._page, self._run_at)[0]
            if self.state is SlipState.BUSY and serial == again:
                return Run(UUID(bytes=job_id), token, started_ns)
        return None
