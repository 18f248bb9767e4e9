"""The one event loop of a runner with several seats: each coroutine job is a task of it.

A loop lasts as long as its runner, so what libraries tie to a loop (clients, pools) is shared by
the jobs of a process. What a job hands to `sync_to_async` (Django's asynchronous ORM does that all the
time) runs in the thread of the job's own seat, which has nothing else to do: connections belong to a thread,
so each job has its own, looked after between two jobs like those of any other.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from asgiref.sync import SyncToAsync, ThreadSensitiveContext

from django_jobs.runner import hygiene

_T = TypeVar("_T")
CoroutineFunction = Callable[..., Coroutine[Any, Any, Any]]

# Threads for asyncio.to_thread() at most, all jobs of a runner together.
POOL = 32

_tasks: ContextVar[set[asyncio.Task[Any]]] = ContextVar("django_jobs_tasks")


class JobLoop:
    """An event loop in a thread of its own, started when the first coroutine job comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        """Return the loop, which runs."""
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                loop.set_task_factory(_task)  # type: ignore[arg-type]
                loop.set_default_executor(_Pool(POOL))
                threading.Thread(target=_run, args=(loop,), name="coroutine jobs", daemon=True).start()
                self._loop = loop
        return self._loop


class Call:
    """One call of a coroutine function, made from the thread of a seat that waits for it.

    Args:
        loop: the loop its task is to be of.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, function: CoroutineFunction) -> None:
        self._loop, self._function = loop, function
        self._task: asyncio.Task[Any] | None = None
        self._wanted = True
        self._ended: Future[Any] = Future()
        self._seat = _SeatExecutor()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Await the function; return or raise what it does, CancelledError where its task was cancelled."""
        # The callback gets a copy of this thread's context, and so does the task it makes: it knows its job.
        self._loop.call_soon_threadsafe(self._start, self._awaited(args, kwargs))
        self._seat.work_until(self._ended)
        # The exception itself: Future.result() would add frames that tell a reader nothing.
        if (error := self._ended.exception()) is not None:
            raise error
        return self._ended.result()

    def cancel(self) -> None:
        """Cancel the task, from any thread, perhaps before it is made; nothing happens when it is over."""
        self._loop.call_soon_threadsafe(self._cancel)

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._task = self._loop.create_task(coroutine)
        self._task.add_done_callback(self._hand_over)
        if not self._wanted:
            self._task.cancel()

    def _cancel(self) -> None:
        self._wanted = False
        if self._task is not None:
            self._task.cancel()

    def _hand_over(self, task: asyncio.Task[Any]) -> None:
        try:
            result, error = task.result()
        except BaseException as raised:
            self._ended.set_exception(raised)
        else:
            if error is None:
                self._ended.set_result(result)
            else:
                self._ended.set_exception(error)

    async def _awaited(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, BaseException | None]:
        try:
            return await attended(partial(self._function, *args, **kwargs), executor=self._seat), None
        except (SystemExit, KeyboardInterrupt) as error:
            # A task that raised these would end the loop, and with it its neighbours.
            return None, error


async def attended(call: Callable[[], Coroutine[Any, Any, _T]], *, executor: Executor) -> _T:
    """Await the call of a job's function, in a task of its own.

    Args:
        call: makes the call.
        executor: has called what the job hands to `sync_to_async`.
    """
    pid = os.getpid()
    # Where sync_to_async looks for the one thread of this context before it makes one. The context is not
    # left, for which asgiref has a new thread wait for the executor: it goes with the task's.
    context = ThreadSensitiveContext()
    SyncToAsync.thread_sensitive_context.set(context)
    SyncToAsync.context_to_thread_executor[context] = executor
    _tasks.set(set())
    try:
        return await call()
    finally:
        if os.getpid() != pid:
            # The job forked, and its child came back: to a loop whose other jobs are not its own.
            os._exit(0)
        await _end_others()


class _SeatExecutor(Executor):
    """Runs in the thread of a seat what its coroutine needs a thread for."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._closed = False

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Have something called; the job must not be over."""
        if self._closed:
            raise RuntimeError("the job that this belongs to is over")
        future: Future[_T] = Future()
        self._calls.put(partial(call_for, future, partial(fn, *args, **kwargs)))
        return future

    def work_until(self, ended: Future[Any]) -> None:
        """Call what is submitted, in this thread, until the future is done."""
        ended.add_done_callback(lambda _: self._calls.put(None))
        while (call := self._calls.get()) is not None:
            call()
        self._closed = True


class _Pool(ThreadPoolExecutor):
    """The threads of asyncio.to_thread(): no job finds a connection that another has left there."""

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Have something called, and connections closed after it."""
        return super().submit(_clean, fn, *args, **kwargs)


def _clean(fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> _T:
    try:
        return fn(*args, **kwargs)
    finally:
        hygiene.close_connections()


def call_for(future: Future[_T], function: Callable[[], _T]) -> None:
    """Have a future tell what comes of a call."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # it is the coroutine's, whatever it is
        future.set_exception(error)
    else:
        future.set_result(result)


def _task(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **more: Any
) -> asyncio.Task[Any]:
    """Make a task, and note whose it is: a task knows the context, and so the job, that it is made in."""
    task = asyncio.Task(coroutine, loop=loop, **more)
    tasks = _tasks.get(None)
    if tasks is not None:
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    return task


async def _end_others() -> None:
    """End what the job has left running beside itself, as the end of a loop of its own would."""
    others = _tasks.get()
    if not others:
        return
    others = others - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    while True:
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt):
            continue  # raised by a task that a job has left: the loop is not its own to end
