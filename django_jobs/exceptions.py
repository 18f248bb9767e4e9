"""Everything django_jobs raises on purpose: one family, rooted in `JobsError`.

Importable before `django.setup()`; the classes build their own messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any


class JobsError(Exception):
    """The root of every exception of this package."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy what it says and carries: its class takes other arguments than the finished sentence."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[JobsError], args: tuple[Any, ...], values: dict[str, Any]) -> JobsError:
    error = kind.__new__(kind, *args)
    error.args = args  # a TimeoutError is an OSError, which takes them in its __init__ only
    error.__dict__.update(values)
    return error


class JobNotFound(JobsError, KeyError):
    """No job has this id, or it is no id at all."""

    def __init__(self, job_id: object) -> None:
        self.job_id = job_id
        super().__init__(f"no job has the id {job_id!r}")

    # KeyError shows the repr of its argument; a sentence should be read as one.
    __str__ = Exception.__str__


class UnknownOption(JobsError, TypeError):
    """An option that no job function knows."""

    def __init__(self, names: Iterable[str], valid: Iterable[str]) -> None:
        unknown = ", ".join(sorted(names))
        super().__init__(f"unknown option: {unknown} (valid are: {', '.join(sorted(valid))})")


class InvalidJobFunction(JobsError, TypeError):
    """This function cannot be a job function."""

    def __init__(self, function: object, reason: str) -> None:
        name = getattr(function, "__qualname__", None) or repr(function)
        super().__init__(f"{name} cannot be a job function: {reason}")


class DuplicateJobFunction(JobsError):
    """Two job functions of one name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is already a job function named {name!r}; give one of them another name=")


class UnknownJobFunction(JobsError, LookupError):
    """No job function of this name is registered here."""

    def __init__(self, name: str, near: Iterable[str] = ()) -> None:
        self.name = name
        hint = ", ".join(near)
        super().__init__(f"no job function is named {name!r}" + (f"; near: {hint}" if hint else ""))


class SerializationError(JobsError):
    """A value that cannot be stored, or stored bytes that cannot be read."""


class PayloadTooLarge(SerializationError):
    """The arguments of one job exceed MAX_PAYLOAD."""

    def __init__(self, size: int, limit: int) -> None:
        self.size, self.limit = size, limit
        super().__init__(
            f"the arguments take {size:,} bytes, the limit MAX_PAYLOAD is {limit:,}; "
            "store large data elsewhere and pass its key"
        )


class NoCurrentJob(JobsError, RuntimeError):
    """`current_job` was used outside a job."""

    def __init__(self) -> None:
        super().__init__("there is no current job here; get_current_job() returns None outside a job")


class ResultError(JobsError):
    """Why `Job.result()` has no value to return."""


class JobFailed(ResultError):
    """The job is dead; carries what went wrong in its last attempt."""

    def __init__(self, job_id: object, exception_type: str, message: str, traceback: str = "") -> None:
        self.job_id = job_id
        self.exception_type, self.message, self.traceback = exception_type, message, traceback
        super().__init__(f"job {job_id} is dead: {exception_type}: {message}")


class JobCancelled(ResultError):
    """The job was cancelled."""

    def __init__(self, job_id: object) -> None:
        self.job_id = job_id
        super().__init__(f"job {job_id} was cancelled")


class ResultTimeout(ResultError, TimeoutError):
    """The job was not final in time."""

    def __init__(self, job_id: object, timeout: float, status: str) -> None:
        self.job_id, self.timeout, self.status = job_id, timeout, status
        super().__init__(f"job {job_id} is still {status} after {timeout:g} s")


class ResultTooLarge(ResultError):
    """The job completed, its result was over MAX_RESULT and was not stored."""

    def __init__(self, job_id: object, size: int, preview: str) -> None:
        self.job_id, self.size, self.preview = job_id, size, preview
        began = f"; it began {preview[:80]!r}" if preview else ""
        super().__init__(f"the result of job {job_id} took {size:,} bytes and was not stored{began}")


class ResultExpired(ResultError):
    """The job completed, its result was kept for its `result_ttl` only, and that is over."""

    def __init__(self, job_id: object, expired_at: datetime) -> None:
        self.job_id, self.expired_at = job_id, expired_at
        super().__init__(
            f"the result of job {job_id} expired at {expired_at:%Y-%m-%d %H:%M:%S} UTC: "
            "its result_ttl keeps it no longer"
        )


class WouldWaitForever(ResultError, RuntimeError):
    """Waiting for this result here could never end."""

    def __init__(self, job_id: object, reason: str) -> None:
        self.job_id = job_id
        super().__init__(f"waiting for job {job_id} here could never end: {reason}")


class MemoryLimitRefused(JobsError):
    """The job has a `max_memory`, and its worker runs several jobs in a process."""

    def __init__(self) -> None:
        super().__init__(
            "the option max_memory needs a process of its own: have its queue served by a worker "
            "without --threads"
        )


class RetryJob(JobsError):
    """Raise it inside a job to run again later, whatever the retry filters say; counts an attempt.

    Args:
        defer: seconds until the next attempt; None takes the job's own retry_delay.
    """

    def __init__(
        self, message: object = "the job asked to be retried", *, defer: float | None = None
    ) -> None:
        number = isinstance(defer, (int, float)) and not isinstance(defer, bool)
        if defer is not None and not (number and 0 <= defer < float("inf")):
            raise ValueError(f"defer must be a number of seconds ≥ 0, not {defer!r}")
        self.defer = defer
        super().__init__(message)


class PermanentError(JobsError):
    """Raise it inside a job when no retry can help: the job is dead at once."""


class TransientError(JobsError):
    """Raise it inside a job when a retry may help, whatever retry_on says."""


class SoftTimeout(JobsError):
    """The job has run longer than its soft_timeout; raised by `current_job.check_timeout()`."""

    def __init__(self) -> None:
        super().__init__("the job ran longer than its soft_timeout")


class HardTimeout(BaseException):
    """Raised in the code of a job that is stopped, at its timeout or by force.

    No Exception, so that a job that catches those does not catch this one. It has KILL_AFTER
    seconds to clean up; what it returns or raises after that changes nothing.
    """


class CancelRequested(BaseException):
    """Somebody wants this job cancelled; raised by `current_job.check_cancelled()`.

    No Exception, so that a job that catches those, and goes on with the next of many, does not catch
    this one.
    """

    def __init__(self, message: object = "somebody wants this job cancelled") -> None:
        super().__init__(message)


def exception_name(exception: BaseException | type[BaseException]) -> str:
    """Return the dotted name of an exception's class, without `builtins.`."""
    cls: type[Any] = exception if isinstance(exception, type) else type(exception)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
