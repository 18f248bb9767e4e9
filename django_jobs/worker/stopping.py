"""When and how fast the worker stops."""

from __future__ import annotations

import signal
import socket
from types import FrameType

from django_jobs.wire.clock import boottime

# Behind the grace period the desk has so long to write what is left (seconds).
LAST_WRITES = 2.0

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """The request to stop: the first signal starts the grace period, the second ends it.

    Args:
        grace: how long running jobs may go on (seconds).
        for_good: whether the process ends with the worker. Then who asks once more is ignored to the end:
            with the signals as they were before, a process that has done all in order would die of them.
    """

    def __init__(self, *, grace: float, for_good: bool = False) -> None:
        self.grace, self._for_good = grace, for_good
        self._requested = False
        self._grace_until = float("inf")
        self._ours, self._wakeup = socket.socketpair()
        self._before: dict[int, object] = {}

    def start(self) -> None:
        """Listen for TERM and INT; the handler only takes note."""
        for end in (self._ours, self._wakeup):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal)

    def stop(self) -> None:
        """Put the signals back as they were, or ignore them for good; bears being called twice."""
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if self._for_good else handler)  # type: ignore[arg-type]
        if self._before:
            signal.set_wakeup_fd(-1)
        self._before = {}
        self._ours.close()
        self._wakeup.close()

    def fileno(self) -> int:
        """Return the descriptor that is readable after a signal."""
        return self._ours.fileno()

    def drain(self) -> None:
        """Read away what the signals wrote; the handler has run by then."""
        try:
            self._ours.recv(4096)
        except BlockingIOError:
            return

    def request(self) -> None:
        """Ask to stop, with the grace period; who asks again changes nothing.

        A worker whose time is over asks too, and a signal may come while it makes up its mind.
        """
        self._grace_until = min(self._grace_until, boottime() + self.grace)
        self._requested = True

    @property
    def requested(self) -> bool:
        """Whether the worker is to stop."""
        return self._requested

    @property
    def grace_left(self) -> float:
        """How long running jobs may still go on (seconds)."""
        return max(0.0, self._grace_until - boottime())

    @property
    def overdue(self) -> bool:
        """Whether even the time for the last writes is over."""
        return boottime() > self._grace_until + LAST_WRITES

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._requested:
            self._grace_until = min(self._grace_until, boottime())
        else:
            self.request()
