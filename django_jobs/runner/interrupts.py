"""How a running job is stopped from outside: an exception raised in its own code, and nowhere else.

The parent writes its order on the slip and then has SIGALRM sent, so the handler has only to look
there. Python runs it in the main thread, between any two steps of whatever is going on; it raises
only where `allowed`, and else the signal was no more than an interrupted sleep:

- between jobs, in hygiene and while the report is built and sent nothing is allowed, so neither a
  report nor the runner's own state is ever cut in two;
- the order names one run by its serial, so one that comes late cannot meet the job that follows;
- one that comes before the job's code has begun is looked for again when it begins;
- an order is obeyed once: a signal that comes again does not end the job's `finally` blocks;
- a signal of the job's own making (signal.alarm) finds no order, and a child that the job forked
  is not who the order is for.

A job may put a handler of its own in this place. It then hears of the order in its own way or
not at all, and is killed KILL_AFTER later.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol, TypeVar

from django_jobs.exceptions import HardTimeout, SoftTimeout
from django_jobs.runner.coroutines import Call, CoroutineFunction, JobLoop
from django_jobs.runner.surroundings import Surroundings
from django_jobs.wire.slips import Slip, StopReason

WORDS = {
    StopReason.TIMEOUT: "the job ran longer than its timeout",
    StopReason.CANCEL: "the job was cancelled",
    StopReason.SHUTDOWN: "the worker stops",
}

_T = TypeVar("_T")


class Stoppable(Protocol):
    """How the orders to stop reach the runs of one seat, one run after the other."""

    @property
    def told(self) -> bool:
        """Whether the run that was named last was told to stop."""

    def cancel_asked(self) -> Callable[[], bool]:
        """Return what tells whether somebody wants the run that was named last cancelled."""

    def guard(self, code: Callable[[], _T]) -> _T:
        """Run the code of the job: an order raises in it, and neither before nor after it."""

    def awaiting(self, function: CoroutineFunction) -> Callable[..., Any]:
        """Return a plain function that awaits this one; an order cancels its task."""

    def end(self) -> None:
        """Be ready for another run: this one's code is over, that which judges its failure included."""


class Interrupts:
    """The orders to stop that the runs of a runner get which runs one job at a time.

    Attributes:
        allowed: whether an exception may be raised now. Close it by assigning False in a `finally`:
            no signal comes between the two, while a call could be interrupted at its first step.
    """

    def __init__(self, slip: Slip) -> None:
        self.allowed = False
        self._slip, self._pid = slip, os.getpid()
        self._obeyed: StopReason | None = None
        self._loop = JobLoop()
        self._call: Call | None = None

    def listen(self) -> None:
        """Take SIGALRM; as this process is now it is to be after each job."""
        signal.signal(signal.SIGALRM, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
        self._surroundings = Surroundings()

    def end(self) -> None:
        """Put back what the job has made of its process, at once: an alarm it has set may come any moment."""
        self._surroundings.restore()

    @property
    def sound(self) -> bool:
        """Whether all that jobs have made of this process could be put back."""
        return self._surroundings.sound

    def guard(self, code: Callable[[], _T]) -> _T:
        """Run the code of the job: an order raises in it, and neither before nor after it."""
        try:
            self.allow()
            return code()
        finally:
            self.allowed = False

    def allow(self) -> None:
        """Let this run be interrupted from now on."""
        self._obeyed, self._call = None, None
        self.allowed = True
        self._obey()  # its order may have come before

    def cancel_asked(self) -> Callable[[], bool]:
        """Return what tells whether somebody wants the run that was named last cancelled."""
        return self._slip.cancel_asked()

    @property
    def told(self) -> bool:
        """Whether the run that was named last was told to stop."""
        return self._slip.stop_asked is not None

    def awaiting(self, function: CoroutineFunction) -> Callable[..., Any]:
        """Return a plain function that awaits this one; an order cancels its task."""
        # From now on an order is for the task, also where it comes before there is one.
        self._call = call = Call(self._loop.get(), function)

        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return call(*args, **kwargs)
            except asyncio.CancelledError as cancelled:
                if self._obeyed is None:  # the job's own doing
                    raise
                raise _exception(self._obeyed) from cancelled

        return run

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._obey()

    def _obey(self) -> None:
        reason = self._slip.stop_asked
        if not self.allowed or reason in (None, self._obeyed) or os.getpid() != self._pid:
            return
        self._obeyed = reason
        # After a soft limit may come the hard one. After that nothing: what runs then is cleaning up.
        self.allowed = reason is StopReason.SOFT_TIMEOUT
        if self._call is None:
            raise _exception(reason)
        self._call.cancel()


def _exception(reason: StopReason) -> BaseException:
    if reason is StopReason.SOFT_TIMEOUT:
        return SoftTimeout()
    return HardTimeout(WORDS[reason])
