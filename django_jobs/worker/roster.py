"""When each duty is due."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime

from django_jobs.duties import Done, Duty
from django_jobs.wire.clock import boottime


class DutyRoster:
    """The duties of one worker, each with its next turn (CLOCK_BOOTTIME, seconds)."""

    def __init__(self, duties: Sequence[Duty]) -> None:
        self._next = dict.fromkeys(duties, 0.0)
        self._expecting: set[Duty] = set()

    @property
    def next_at(self) -> float:
        """When the next duty is due."""
        return min(self._next.values(), default=float("inf"))

    @property
    def expects(self) -> bool:
        """Whether a duty has said that it will most likely make jobs ready."""
        return bool(self._expecting)

    def due(self) -> list[Duty]:
        """Return the duties that are due now, the longest due first: not all may get their turn."""
        now = boottime()
        return sorted((duty for duty, at in self._next.items() if at <= now), key=self._next.__getitem__)

    def done(self, duty: Duty, done: Done, *, now: datetime) -> None:
        """Set the duty's next turn: after its interval with jitter, or when it said, if that is sooner.

        Args:
            now: the database's time at which the turn was taken.
        """
        (self._expecting.add if done.expects else self._expecting.discard)(duty)
        # Jitter, so that workers started together do not keep doing the same duty together.
        wait = duty.interval * random.uniform(0.9, 1.1)
        if done.again_at is not None:
            wait = min(wait, max(0.0, (done.again_at - now).total_seconds()))
        self._next[duty] = boottime() + wait

    def foresee(self, kind: type, due: datetime | None, *, now: datetime) -> None:
        """Let duties of this class have their turn when somebody has seen that there is something to do.

        Args:
            due: when that is; None after the interval.
            now: the database's time at which that was seen.
        """
        for duty in self._next:
            if isinstance(duty, kind):
                self.done(duty, Done(again_at=due), now=now)

    def hasten(self, kind: type, *, seconds: float = 0.0) -> None:
        """Make duties of this class due within so long."""
        for duty in self._next:
            if isinstance(duty, kind):
                self._next[duty] = min(self._next[duty], boottime() + seconds)

    def postpone(self, kind: type, *, seconds: float) -> None:
        """Let duties of this class rest for so long."""
        for duty in self._next:
            if isinstance(duty, kind):
                self._next[duty] = max(self._next[duty], boottime() + seconds)
