"""The job that is running here, as its own code sees it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast
from uuid import UUID

from django_jobs.exceptions import CancelRequested, NoCurrentJob, SoftTimeout
from django_jobs.notebook import Notebook
from django_jobs.wire.clock import boottime_ns


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a run knows of the worker it runs in.

    Attributes:
        worker_id: the worker's id.
        slots: how many jobs the worker runs at once.
        database: the alias the queue is written on.
        threads: how many jobs run at once in its process.
    """

    worker_id: str
    slots: int
    database: str
    threads: int = 1


def _nobody() -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class JobInfo:
    """A job as signals name it: what it was at that moment, and no row.

    Attributes:
        id: the job's id.
        function: the name of its job function.
        queue, priority: as stored.
        attempt: the attempt's number, 1-based within the round; 0 before the first.
        round: counts requeues, 1-based.
        max_attempts: how many runs the round has.
        worker_id: the worker that has or had it; empty where none had.
        database: the write alias of the queue.
    """

    id: UUID
    function: str
    queue: str
    priority: int
    attempt: int
    round: int
    max_attempts: int
    worker_id: str
    database: str


@dataclass(frozen=True, kw_only=True)
class JobContext(JobInfo):
    """One run of a job; what it says of the job it is a part of is in `JobInfo`.

    Attributes:
        slots: how many jobs the worker runs at once.
        notebook: takes what the job says of itself.
        soft_ends_ns: when its soft_timeout is over (CLOCK_BOOTTIME); None where it has none.
        cancel_asked: tells whether somebody wants this run cancelled.
    """

    slots: int
    notebook: Notebook = field(default_factory=Notebook, repr=False, compare=False)
    soft_ends_ns: int | None = None
    cancel_asked: Callable[[], bool] = field(default=_nobody, repr=False, compare=False)

    @classmethod
    def made(cls, **values: Any) -> Self:
        """Return a context of these values, in half of the time that a frozen class takes to be called."""
        context = object.__new__(cls)
        object.__setattr__(context, "__dict__", values)
        return context

    @property
    def meta(self) -> dict[str, Any]:
        """The job's own dict, kept over attempts; `save_meta` stores it.

        Raises:
            SerializationError: what an attempt before has saved names something that no longer exists.
        """
        return self.notebook.meta

    def save_meta(self) -> None:
        """Store `meta` as it is now: it stays whatever becomes of this attempt, and the next begins with it.

        Raises:
            SerializationError: it cannot be stored, or takes over 64 KiB; says why.
        """
        self.notebook.save_meta()

    def progress(self, current: float, total: float | None = None, note: object = "") -> None:
        """Say how far the job is, for whoever looks while it runs; may be called as often as you like.

        Args:
            current: how much is done, in any unit.
            total: how much there is to do, at least 0; None if that is not known.
            note: what the job does just now; over 200 characters it is cut.

        Raises:
            ValueError: a number is none, or not finite.
        """
        self.notebook.progress(current, total, note)

    def log(self, text: object) -> None:
        """Keep a line, or several, with this attempt: its newest 200, at most 64 KiB."""
        self.notebook.log(text)

    def check_timeout(self) -> None:
        """Go on while there is time; call it where the job can stop well.

        Raises:
            SoftTimeout: the run has lasted longer than its soft_timeout.
        """
        if self.soft_ends_ns is not None and boottime_ns() >= self.soft_ends_ns:
            raise SoftTimeout

    @property
    def cancel_requested(self) -> bool:
        """Whether somebody wants this job cancelled; for a job that ends in a way of its own then."""
        return self.cancel_asked()

    def check_cancelled(self) -> None:
        """Go on unless somebody wants this job cancelled; call it where the job can stop well.

        It costs less than a microsecond, so call it as often as you like, also in threads and coroutines.

        Raises:
            CancelRequested: somebody does. Left uncaught, it makes the attempt, and the job, cancelled.
        """
        if self.cancel_asked():
            raise CancelRequested


_running: ContextVar[JobContext | None] = ContextVar("django_jobs_running", default=None)


def get_current_job() -> JobContext | None:
    """Return the job that is running here, None outside a job."""
    return _running.get()


def running(context: JobContext) -> AbstractContextManager[JobContext]:
    """Make this the current job for as long as the block lasts."""
    return _Running(context)


class _Running:
    # Each job enters one, and `contextlib.contextmanager` takes several times as long.
    __slots__ = ("_context", "_token")

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def __enter__(self) -> JobContext:
        self._token: Token[JobContext | None] = _running.set(self._context)
        return self._context

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _running.reset(self._token)


def _here() -> JobContext:
    if (context := _running.get()) is None:
        raise NoCurrentJob
    return context


class _CurrentJob:
    """Whatever job is running where it is asked."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        # Python and its tools look for such names on whatever a module holds, job or not.
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_here(), name)

    # Both are called in tight loops, where it would cost four times as much to be looked for in vain first.
    def check_cancelled(self) -> None:
        _here().check_cancelled()

    def check_timeout(self) -> None:
        _here().check_timeout()

    def __setattr__(self, name: str, value: object) -> None:
        hint = "; change the dict it is, and call save_meta()" if name == "meta" else ""
        raise AttributeError(f"current_job.{name} cannot be set{hint}")

    def __repr__(self) -> str:
        return f"<current_job: {get_current_job()!r}>"


current_job = cast(JobContext, _CurrentJob())
