"""How far ahead a worker works: not at all for long jobs, in batches for short ones."""

from __future__ import annotations

# Jobs handed out ahead per slot should be worth so much run time (seconds), and no more than so many: enough
# for the milliseconds in which the desk keeps the loop from the interpreter.
AHEAD_SECONDS, AHEAD_MOST = 0.02, 100
# The same for jobs that are claimed but not handed out.
BUFFER_SECONDS, BUFFER_MOST = 0.1, 300
# Ends that are written together should not have taken longer (seconds), and be no more than a third of what
# is held: while they are written, runners go on with the rest.
GATHER_SECONDS, GATHER_SHARE = 0.01, 3
# All that is held ahead should be run within both. When no slot has been free for so long (seconds), the
# jobs have become long, and what waits here could be run by another worker.
PATIENCE = 0.3
# Claimed payloads one worker holds at most, in characters.
PAYLOADS_MOST = 8 * 1024 * 1024
# How much one run moves the averages.
_WEIGHT = 0.1


class Pace:
    """Moving averages of run time and payload, and what they allow.

    Until run times are known a slot gets one job at a time: a job claimed behind a long one
    would wait here while another worker is idle.

    Attributes:
        slots: how many jobs may run at once now.
    """

    def __init__(self, *, slots: int) -> None:
        self.slots = slots
        self._seconds: float | None = None
        self._payload = 1024.0

    def observe(self, *, seconds: float, payload: int) -> None:
        """Take note of one run."""
        before = seconds if self._seconds is None else self._seconds
        self._seconds = before + _WEIGHT * (seconds - before)
        self._payload += _WEIGHT * (payload - self._payload)

    def expect(self, *, seconds: float) -> None:
        """Take note that runs last at least so long now, before any of them has ended."""
        self._seconds = max(seconds, self._seconds or 0.0)

    @property
    def out(self) -> int:
        """How many jobs may be handed out, running ones included."""
        return self.slots + self._ahead(AHEAD_SECONDS, AHEAD_MOST)

    @property
    def held(self) -> int:
        """How many jobs the worker may hold in all."""
        ahead = self._ahead(AHEAD_SECONDS, AHEAD_MOST) + self._ahead(BUFFER_SECONDS, BUFFER_MOST)
        return self.slots + min(ahead, self._affordable)

    @property
    def batch(self) -> int:
        """How many ends are worth a transaction of their own; of long jobs each is."""
        if self._seconds is None:
            return 1
        worth = self.slots * int(GATHER_SECONDS / max(self._seconds, 1e-6))
        return max(1, min(worth, self.held // GATHER_SHARE))

    def _ahead(self, seconds: float, most: int) -> int:
        if self._seconds is None:
            return 0
        worth = min(most, int(seconds / max(self._seconds, 1e-6)))
        return min(self.slots * worth, self._affordable)

    @property
    def _affordable(self) -> int:
        return int(PAYLOADS_MOST / max(self._payload, 1.0))
