"""Orders to stop on their way to a run: sent again, because one signal can be missed.

Python takes note of a signal and acts on it between two steps of its code. One that comes in the
last moment before the main thread waits for a lock is noted and then waited over. The next one
interrupts that wait; and as an order is obeyed once, one too many does nothing.
"""

from __future__ import annotations

from django_jobs.wire.slips import Run, StopReason
from django_jobs.worker.runners import Runners, Seat

EVERY_NS = 200_000_000
# Who has not heard so many hears none: it is deaf, and not unlucky.
TIMES = 5


class Order:
    """One order to one run."""

    def __init__(self, runners: Runners, seat: Seat, run: Run, reason: StopReason) -> None:
        self._runners, self._seat, self._run, self._reason = runners, seat, run, reason
        self._left = TIMES
        self._next_ns = 0

    def send(self, now: int) -> float:
        """Send it if it is time and the run goes on.

        Args:
            now: CLOCK_BOOTTIME in nanoseconds.

        Returns:
            When to send it again (ns); infinity for never.
        """
        if not self._left or self._seat.slip.run() != self._run:
            return float("inf")
        if now >= self._next_ns:
            self._left -= 1
            self._next_ns = now + EVERY_NS
            self._runners.interrupt(self._seat, self._run, self._reason)
        return self._next_ns
