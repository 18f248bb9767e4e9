"""How one of several jobs in a runner is stopped: an exception raised in its thread, and nowhere else.

Signals reach the main thread only, which runs no job here: it waits for them, and looks at the slip
of each seat then. What it finds it has raised in the seat's thread by PyThreadState_SetAsyncExc, which
is heard between two steps of Python code; C code that does not come back hears nothing, and is
killed KILL_AFTER later. A coroutine's task is cancelled instead.

Such an exception is on its way for a moment, and must meet neither the runner's own code nor the
next job. So both sides take the seat's lock: who raises checks under it that the job's code runs,
and who closes has waited for it, and then takes back what is still on its way. At most two are: one of
the soft limit, and one of an order after which nothing more is raised.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from django_jobs.exceptions import HardTimeout, SoftTimeout
from django_jobs.runner.coroutines import Call, JobLoop
from django_jobs.runner.interrupts import WORDS
from django_jobs.wire.slips import Slip, StopReason

_T = TypeVar("_T")

_set_async_exc = ctypes.pythonapi.PyThreadState_SetAsyncExc
_set_async_exc.argtypes = (ctypes.c_ulong, ctypes.py_object)
_NOTHING = ctypes.py_object()


class Stops(Protocol):
    """What runs by the loop."""

    def cancel(self) -> None:
        """Cancel its task, from any thread."""


class SeatInterrupts:
    """The orders to stop that the runs of one seat get; built in the seat's own thread."""

    def __init__(self, slip: Slip, loop: JobLoop) -> None:
        self._slip, self._loop = slip, loop
        self._thread, self._pid = threading.get_ident(), os.getpid()
        self._lock = threading.Lock()
        self._allowed = False
        self._obeyed: StopReason | None = None
        self._call: Stops | None = None

    @property
    def told(self) -> bool:
        """Whether the run that was named last was told to stop."""
        return self._slip.stop_asked is not None

    def cancel_asked(self) -> Callable[[], bool]:
        """Return what tells whether somebody wants the run that was named last cancelled."""
        return self._slip.cancel_asked()

    @property
    def obeyed(self) -> BaseException | None:
        """What the order says that the run has obeyed last; None where there was none."""
        return None if self._obeyed is None else _exception(self._obeyed)()

    def guard(self, code: Callable[[], _T], *, goes_on: bool = False) -> _T:
        """Run the code of the job: an order raises in it, and neither before nor after it.

        Args:
            code: what to call.
            goes_on: whether it is more of a run that the loop has begun, and obeys no order twice.
        """
        try:
            self._open(None, obeyed=self._obeyed if goes_on else None)
            return code()
        finally:
            # What is still on its way may arrive in here. The third time there is nothing left.
            try:
                try:
                    self.close()
                except (HardTimeout, SoftTimeout):
                    self.close()
            except (HardTimeout, SoftTimeout):
                self.close()

    def open(self, call: Stops) -> None:
        """Begin the code of a job that the loop runs: an order cancels it, or raises where it came before."""
        self._open(call, obeyed=None)

    def awaiting(self, function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        """Return a plain function that awaits this one; an order cancels its task."""
        call = Call(self._loop.get(), function)

        def run(*args: Any, **kwargs: Any) -> Any:
            # An exception that was on its way has come when this is left, and no other is sent.
            with self._lock:
                self._call = call
            try:
                return call(*args, **kwargs)
            except asyncio.CancelledError as cancelled:
                if self._obeyed is None:  # the job's own doing
                    raise
                raise _exception(self._obeyed)() from cancelled

        return run

    def end(self) -> None:
        """Forget the coroutine that was awaited."""
        self._call = None

    def obey(self) -> None:
        """Raise in the seat what it is ordered now; called in the main thread."""
        with self._lock:
            if (reason := self._order()) is None:
                return
            if self._call is not None:
                self._call.cancel()
            else:
                _set_async_exc(self._thread, _exception(reason))

    def _open(self, call: Stops | None, *, obeyed: StopReason | None) -> None:
        with self._lock:
            self._obeyed, self._call = obeyed, call
            # After the hard one nothing: what runs then is cleaning up.
            self._allowed = obeyed in (None, StopReason.SOFT_TIMEOUT)
            reason = self._order()  # it may have come before
        if reason is not None:
            raise _exception(reason)()

    def close(self) -> None:
        """End the code of the job: what is on its way is taken back, and nothing else is sent."""
        self._allowed = False
        # A process that the job has forked has a lock that nobody may ever open, and nobody who raises.
        if os.getpid() == self._pid:
            with self._lock:
                obeyed = self._obeyed
            if obeyed is not None:
                _set_async_exc(self._thread, _NOTHING)

    def _order(self) -> StopReason | None:
        reason = self._slip.stop_asked
        if not self._allowed or reason in (None, self._obeyed):
            return None
        self._obeyed = reason
        # After a soft limit may come the hard one. After that nothing: what runs then is cleaning up.
        self._allowed = reason is StopReason.SOFT_TIMEOUT
        return reason


def _stopped(words: str) -> type[HardTimeout]:
    """Return HardTimeout with its words: it is raised as a class, which nobody gives any."""

    def __init__(self: HardTimeout, message: object = words) -> None:
        super(HardTimeout, self).__init__(message)

    same = {name: getattr(HardTimeout, name) for name in ("__module__", "__qualname__", "__doc__")}
    return type("HardTimeout", (HardTimeout,), {**same, "__init__": __init__})


_STOPPED = {reason: _stopped(words) for reason, words in WORDS.items()}


def _exception(reason: StopReason) -> Callable[[], BaseException]:
    return SoftTimeout if reason is StopReason.SOFT_TIMEOUT else _STOPPED[reason]
