"""One of several seats of a runner: a slip, and a thread for what must not run on the loop."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import Enum, auto
from queue import Empty, SimpleQueue

from django_jobs.runner import hygiene
from django_jobs.runner.coroutines import JobLoop
from django_jobs.runner.seat_interrupts import SeatInterrupts
from django_jobs.runner.turn import IDLE_CONNECTIONS_CLOSE
from django_jobs.wire.messages import Assignment
from django_jobs.wire.slips import Slip, SlipState


class Errand(Enum):
    """What a seat is sent for."""

    READ = auto()  # to the socket
    LEAVE = auto()  # home


class Seat:
    """A seat; built in its own thread.

    Attributes:
        slip: names the job it runs, itself or by the loop.
        interrupts: how that is stopped.
    """

    def __init__(self, slip: Slip, loop: JobLoop) -> None:
        self.slip = slip
        self.interrupts = SeatInterrupts(slip, loop)
        self._to_do: SimpleQueue[Errand | Assignment | Callable[[], object]] = SimpleQueue()

    def do(self, what: Errand | Assignment | Callable[[], object]) -> None:
        """Give its thread something to do: an errand, a job to run, or a function to call."""
        self._to_do.put(what)

    def next(self) -> Errand | Assignment:
        """Wait for the next errand or job, and call what is given meanwhile; called in its own thread."""
        me = os.getpid()
        while True:
            what = self._next_at_all()
            if isinstance(what, (Errand, Assignment)):
                return what
            what()
            if os.getpid() != me:
                # What the job had called here forked, and its child came back: to a slip that is not its own.
                os._exit(0)

    def _next_at_all(self) -> Errand | Assignment | Callable[[], object]:
        while True:
            try:
                return self._to_do.get(timeout=IDLE_CONNECTIONS_CLOSE)
            except Empty:
                # A job on the loop may be in a transaction that it has begun through this thread.
                if self.slip.state is not SlipState.BUSY:
                    hygiene.close_connections()
