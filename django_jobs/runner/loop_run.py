"""One run of a coroutine job: a task of the runner's loop, and of no other thread where it needs none.

The thread of its seat calls what the job hands to `sync_to_async`. It also ends the run where it has done
so, and where the job has failed or returned what takes a while to store: code of the user's that may wait,
and must not keep the loop from other jobs, is called there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import Context
from functools import partial
from typing import Any, Protocol, TypeVar

from django_jobs import registry, signals
from django_jobs.context import running
from django_jobs.exceptions import UnknownJobFunction
from django_jobs.outcomes import Outcome
from django_jobs.runner import hygiene
from django_jobs.runner.coroutines import attended, call_for
from django_jobs.runner.execute import Run, context_of
from django_jobs.runner.post import Post
from django_jobs.runner.seat import Seat
from django_jobs.runner.turn import notebook_of
from django_jobs.wire.messages import Assignment

_T = TypeVar("_T")

# Results that are stored in a moment and by no code of the user's.
_QUICK = {type(None), bool, int, float}


def may_run_on_loop(assignment: Assignment) -> bool:
    """Return whether a job is a coroutine that can begin without waiting for anything.

    A receiver that is told of its start, or a model instance among its arguments, may ask the database.
    """
    if "$" in assignment.args or signals.is_heard_at_all(signals.job_started):
        return False
    try:
        return registry.find(assignment.function).is_coroutine
    except UnknownJobFunction:
        return False


class Ending(Protocol):
    """What becomes of a run that has ended."""

    def on_loop(self, run: LoopRun, outcome: Outcome) -> None:
        """It came to this outcome; called by the loop."""

    def in_seat(self, run: LoopRun, outcome: Callable[[], Outcome]) -> None:
        """It comes to what this returns, to be called in the thread of its seat; called by the loop."""


class LoopRun:
    """The run of a seat's job.

    Attributes:
        assignment: the job.
        seat: whose slip names it.
        notebook: what it says of itself.
    """

    def __init__(self, assignment: Assignment, seat: Seat, post: Post, ending: Ending) -> None:
        self.assignment, self.seat = assignment, seat
        self.notebook = notebook_of(assignment, post)
        context = context_of(assignment, post.workplace, seat.interrupts, self.notebook)
        self._run = Run(
            assignment, registry.find(assignment.function), context, seat.interrupts, neighbours=True
        )
        self._ending, self._thread = ending, _SeatThread(seat)
        self._context = Context()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._begun = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make the task; called by the loop."""
        self._loop = loop
        self._task = loop.create_task(self._live(), context=self._context)
        self._task.add_done_callback(self._end_unbegun, context=self._context)

    def cancel(self) -> None:
        """Cancel the task, from any thread; nothing happens when it is over."""
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    def _end_unbegun(self, task: asyncio.Task[None]) -> None:
        # Cancelled before its first step, by a neighbour that cancels all tasks of the loop, say.
        if not self._begun:
            self._thread.close()
            self._ending.in_seat(self, partial(self._run.failed, asyncio.CancelledError()))

    async def _live(self) -> None:
        self._begun = True
        try:
            result = await self._result()
            outcome = self._run.completed(self._run.stored(result)) if type(result) in _QUICK else None
        # Also SystemExit and KeyboardInterrupt: a task that raised these would end the loop with all jobs.
        except BaseException as error:
            self._thread.close()
            return self._ending.in_seat(self, partial(self._run.failed, error))
        used = self._thread.close()
        if outcome is None:
            return self._ending.in_seat(self, partial(self._completed, result))
        if used:
            return self._ending.in_seat(self, lambda: outcome)
        return self._ending.on_loop(self, outcome)

    async def _result(self) -> Any:
        interrupts = self.seat.interrupts
        try:
            interrupts.open(self)
            args, kwargs = self._run.prepared()
            with running(self._run.context):
                call = partial(self._run.function.function, *args, **kwargs)
                return await attended(call, executor=self._thread)
        except asyncio.CancelledError as cancelled:
            if (ordered := interrupts.obeyed) is None:  # the job's own doing
                raise
            raise ordered from cancelled
        finally:
            interrupts.close()

    def _completed(self, result: Any) -> Outcome:
        try:
            stored = self.seat.interrupts.guard(lambda: self._run.stored(result), goes_on=True)
        except BaseException as error:
            return self._run.failed(error)
        return self._run.completed(stored)


class _SeatThread(Executor):
    """Has the thread of a seat call what its job needs a thread for."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._used = self._closed = False

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Have something called; the job must not be over."""
        if self._closed:
            raise RuntimeError("the job that this belongs to is over")
        if not self._used:
            self._used = True
            self._seat.do(hygiene.before_attempt)
        future: Future[_T] = Future()
        self._seat.do(partial(call_for, future, partial(fn, *args, **kwargs)))
        return future

    def close(self) -> bool:
        """Take no more calls; return whether there was any."""
        self._closed = True
        return self._used
