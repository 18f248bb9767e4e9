"""Whether and when a job runs again after an attempt that did not complete."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from django_jobs.exceptions import (
    PermanentError,
    RetryJob,
    SerializationError,
    TransientError,
    exception_name,
)
from django_jobs.options import RetryCallable, StoredOptions
from django_jobs.policies import CEILING, exponential, seconds

if TYPE_CHECKING:
    from django_jobs.context import JobContext

logger = logging.getLogger(__name__)

# Where no number is known: a callable decides, or retrying at once would repeat a crash in a tight loop.
FALLBACK = exponential(2, cap=300)


def after_exception(
    exception: BaseException,
    *,
    options: StoredOptions,
    policy: RetryCallable | None,
    number: int,
    max_attempts: int,
    job: JobContext,
) -> float | None:
    """Decide what follows an attempt that raised.

    Args:
        exception: what it raised.
        options: the options on the job's row.
        policy: the function's own retry callable, None where it has none.
        number: the attempt's number, 1-based.
        max_attempts: how many runs the job has.
        job: what the callable gets as its second argument.

    Returns:
        Seconds until the next attempt; None when the job is dead.
    """
    if number >= max_attempts or isinstance(exception, PermanentError):
        return None
    if isinstance(exception, RetryJob):
        if exception.defer is not None:
            return min(exception.defer, CEILING)
        return _delay(exception, options, policy, number, job) or 0.0
    if not _wanted(exception, options):
        return None
    return _delay(exception, options, policy, number, job)


def without_exception(stored: str | None, *, number: int, max_attempts: int) -> float | None:
    """Decide what follows a timeout or a crash: by the numeric policy on the row alone.

    Args:
        stored: the row's options as text; corrupt text counts as none.
        number: the attempt's number, 1-based.
        max_attempts: how many runs the job has.

    Returns:
        Seconds until the next attempt; None when the job is dead.
    """
    if number >= max_attempts:
        return None
    try:
        policy = StoredOptions.load(stored).retry_delay
    except SerializationError:
        policy = None
    return (policy.delay(number) if policy else 0.0) or FALLBACK.delay(number)


def _wanted(exception: BaseException, options: StoredOptions) -> bool:
    names = set(_names(exception))
    if names.intersection(options.dont_retry_on):
        return False
    if options.retry_on is None or isinstance(exception, TransientError):
        return True
    return bool(names.intersection(options.retry_on))


def _names(exception: BaseException) -> Iterator[str]:
    # Compared by name, never imported: the worker need not know the classes a caller names.
    for cls in type(exception).__mro__:
        yield exception_name(cls)
        yield f"{cls.__module__}.{cls.__qualname__}"


def _delay(
    exception: BaseException,
    options: StoredOptions,
    policy: RetryCallable | None,
    number: int,
    job: JobContext,
) -> float | None:
    if options.retry_delay is not None:
        return options.retry_delay.delay(number)
    # The row says the function has a callable; this version of it may have none any more.
    return FALLBACK.delay(number) if policy is None else _asked(policy, exception, number, job)


def _asked(policy: RetryCallable, exception: BaseException, number: int, job: JobContext) -> float | None:
    try:
        answer = policy(exception, job)
        if answer is False:
            return None
        return FALLBACK.delay(number) if answer is True else seconds(answer, "the answer")
    except BaseException:  # SystemExit and its like must not end the runner either
        logger.exception(
            "retry_delay of %s failed; job %s is retried by the fallback policy", job.function, job.id
        )
        return FALLBACK.delay(number)
