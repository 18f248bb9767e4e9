"""Which of the jobs that this worker holds somebody wants cancelled."""

from __future__ import annotations

from django_jobs.wire.clock import boottime
from django_jobs.worker.claims import Claims
from django_jobs.worker.inbox import Cancels, Outbox

# So often it is asked for (seconds): a wish reaches its job within a second, and the reading needs a moment.
ASK_EVERY = 0.9


class Wishes:
    """Asks the database now and then, while the worker holds anything, and tells the loop.

    It tells again until the job is over: the first time it may be where nobody can be told.
    """

    def __init__(self, claims: Claims, outbox: Outbox) -> None:
        self._claims, self._outbox = claims, outbox
        self._ask_at = 0.0

    @property
    def next_at(self) -> float:
        """When to ask again (CLOCK_BOOTTIME, seconds)."""
        return float("inf") if self._claims.none_held else self._ask_at

    def tell(self) -> None:
        """Tell the loop, if it is time to ask."""
        if boottime() < self._ask_at:
            return
        self._ask_at = boottime() + ASK_EVERY
        if asked := self._claims.cancels():
            self._outbox.post(Cancels(asked))
