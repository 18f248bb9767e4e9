"""`@job` and what it makes of a function."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Self, TypeVar, overload

from asgiref.sync import markcoroutinefunction, sync_to_async

from django_jobs import registry
from django_jobs.exceptions import InvalidJobFunction
from django_jobs.options import CALL, DECORATOR, Options

if TYPE_CHECKING:
    from django_jobs.models import Job

P = ParamSpec("P")
R = TypeVar("R")

_ANYTHING = inspect.Signature(
    [
        inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
        inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
    ]
)


class JobFunction(Generic[P, R]):
    """A function that can be called, and enqueued as a job.

    Attributes:
        name: what it is stored and found by.
        function: the undecorated function.
        options: the options given by `@job` and `using()`.
        signature: what each call is bound to.
        is_coroutine: whether the function is an `async def`.
    """

    name: str
    function: Callable[P, R]
    options: Options
    signature: inspect.Signature
    is_coroutine: bool
    __name__: str
    __wrapped__: Callable[P, R]

    def __init__(self, function: Callable[P, R], options: Options) -> None:
        # First, for it copies the function's own attributes, whatever they are called.
        functools.update_wrapper(self, function)
        self.name = options.name or _name_of(function)
        self.function = function
        self.signature = _signature_of(function)
        self.options = options.of_function(self.name).placed_in(self.signature, self.name)
        self.is_coroutine = inspect.iscoroutinefunction(function)
        if self.is_coroutine:
            markcoroutinefunction(self)

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function here and now, as if it were not decorated."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<JobFunction {self.name}>"

    def enqueue(self, /, *args: P.args, **kwargs: P.kwargs) -> Job:
        """Store a job that calls the function with these arguments.

        One INSERT in the caller's transaction: rolled back with it, visible once it commits.

        Returns:
            The job, a handle to its state and result.

        Raises:
            TypeError: the function does not take these arguments.
            SerializationError: an argument cannot be stored; names it.
            PayloadTooLarge: together they exceed MAX_PAYLOAD.
        """
        from django_jobs import client

        return client.enqueue(self, [(args, kwargs)], self.options)[0]

    delay = enqueue

    async def aenqueue(self, /, *args: P.args, **kwargs: P.kwargs) -> Job:
        """Store a job from async code; otherwise as `enqueue`."""
        # Bound first: sync_to_async has parameters of its own, which a keyword could hit.
        enqueue = functools.partial(self.enqueue, *args, **kwargs)
        return await sync_to_async(enqueue, thread_sensitive=True)()

    def enqueue_many(self, calls: Iterable[tuple[Any, ...] | Mapping[str, Any]]) -> list[Job]:
        """Store a job for each call: all or nothing, with a constant number of statements.

        Args:
            calls: for each job a tuple of positional or a dict of keyword arguments.

        Returns:
            The jobs in the order of the calls.

        Raises:
            TypeError, SerializationError, PayloadTooLarge: as `enqueue`; a note names the call.
        """
        from django_jobs import client, drafts

        return client.enqueue(self, drafts.calls_of(calls), self.options)

    def enqueue_on_commit(self, /, *args: Any, using: str | None = None, **kwargs: Any) -> Job:
        """Store a job after the caller's transaction has committed; at once where there is none.

        For a queue on another database than the caller's data: rolled back, the transaction leaves no
        job. On the same database `enqueue` does so by itself, and is safer: what ends the process
        between the commit and the INSERT loses this job.

        Args:
            using: the alias of the transaction to wait for, not of the queue; None is the default one.

        Returns:
            The job, with its id; there is no row before the commit, and after a rollback never.

        Raises:
            TypeError, SerializationError, PayloadTooLarge: as `enqueue`, at the call and not at the commit.
        """
        from django_jobs import client

        if using is not None and "using" in self.signature.parameters:
            raise TypeError(
                f"using= is the alias of the transaction here, and {self.name} has a parameter of that name: "
                "give it by position, or call enqueue from transaction.on_commit yourself"
            )
        return client.enqueue_on_commit(self, (args, kwargs), self.options, using=using)

    def using(self, /, **options: Any) -> Self:
        """Return the same job function with other options for the calls made through it.

        Args:
            options: those of `@job` except name, and run_after: an aware datetime or a timedelta.

        Raises:
            UnknownOption: there is no such option; lists the valid ones.
            TypeError, ValueError: an option has a wrong value.
        """
        other = copy.copy(self)
        other.options = Options.of(options, place=CALL).over(self.options).with_limits_in_order()
        other.options.of_function(self.name)
        return other


@overload
def job(function: Callable[P, R], /, **options: Any) -> JobFunction[P, R]: ...


@overload
def job(**options: Any) -> Callable[[Callable[P, R]], JobFunction[P, R]]: ...


def job(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a job function; with or without parentheses, or called on a function of others.

    Args:
        name: what it is stored by, for ever; `module.qualname` unless given.
        queue: a name; "default".
        priority: from -32,767 to 32,767, higher runs first; 0.
        max_attempts: how many times it runs at most; 3. Or max_retries, one less.
        retry_delay: seconds before each retry; 0. A list of them, fixed(), steps(), linear(),
            exponential(), or a callable of (exception, JobContext) that returns seconds, True or False.
        timeout: seconds a run may take before it is stopped, None for no limit; 300.
        max_memory: bytes (or a text like "512M") a run may take on top of what its process has already,
            before Python raises MemoryError; None, the default, for no limit.
        soft_timeout: seconds, less than timeout, after which current_job.check_timeout() raises
            SoftTimeout; None, the default, never does.
        soft_timeout_raises: whether SoftTimeout is raised then without being asked; False.
        retry_on: exception classes or their dotted names to retry; None retries all.
        dont_retry_on: those never to retry, even if retry_on has them.
        result_ttl: seconds or a timedelta that the result is kept after the job completed; None, the
            default, keeps it as long as the job.
        on_failure: a job function, or the name of one, that is enqueued with the job's id when it is dead.
        description: what the admin shows beside the job.
        serializer: what stores arguments and result: "json", the default, "cloudpickle", or the dotted
            path of a class.
        sensitive: names of parameters (or keys of **kwargs, or "return") whose values are masked
            wherever the job is shown, and in its errors; none.

    Raises:
        InvalidJobFunction: a worker could not find or run this function; says why.
        DuplicateJobFunction: another job function has the name.
        UnknownOption: there is no such option; lists the valid ones.
        TypeError, ValueError: an option has a wrong value.
    """
    given = Options.of(options, place=DECORATOR)
    return functools.partial(_make, given) if function is None else _make(given, function)


def _make(options: Options, function: Callable[P, R]) -> JobFunction[P, R]:
    if reason := _refusal(function, options.name):
        raise InvalidJobFunction(function, reason)
    job_function = JobFunction(function, options)
    registry.register(job_function)
    return job_function


def _refusal(function: Any, name: str | None) -> str | None:
    """Say why a worker could not find or run this function; None when it can."""
    if isinstance(function, JobFunction):
        return "it is one already"
    if not callable(function) or isinstance(function, type):
        return "it is no function"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "calling a generator function runs nothing; return a list instead of yielding"
    if _wants_self(function):
        return "a method needs an object, which no worker has; decorate a function and pass the object's key"
    return _refused_place(function, getattr(function, "__qualname__", None), name)


def _refused_place(function: Any, qualname: str | None, name: str | None) -> str | None:
    if qualname is None:
        return None if name else "it has no name of its own; give it one: job(function, name=...)"
    if "<lambda>" in qualname:
        return "a lambda has no name a worker could find; write it with def at the top of a module"
    if "<locals>" in qualname:
        return (
            "it is made inside a function, where no worker can find it; move it to the top of a module "
            "(and if it is what a decorator made, let the decorator use functools.wraps)"
        )
    if function.__module__ == "__main__":
        return "it is in __main__, which is another module in a worker; move it to a module of an app"
    if len(_name_of(function)) > 255 and not name:
        return "its name is over 255 characters; give it a shorter one with name="
    return None


def _wants_self(function: Any) -> bool:
    if inspect.ismethod(function):
        return not isinstance(function.__self__, type)
    within_class = "." in getattr(function, "__qualname__", "").rpartition("<locals>.")[2]
    return within_class and next(iter(_signature_of(function).parameters), "") in ("self", "cls")


def _name_of(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _signature_of(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except ValueError:  # some functions written in C do not tell
        return _ANYTHING
