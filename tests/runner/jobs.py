"""Job functions for the tests of the runner."""

from __future__ import annotations

from typing import Any

from django.utils import timezone, translation

from django_jobs import current_job, get_current_job, job


@job
def tell() -> list[Any]:
    """Return what the job knows of itself."""
    return [
        current_job.id,
        current_job.attempt,
        current_job.round,
        current_job.priority,
        current_job.worker_id,
        current_job.slots,
        current_job.database,
    ]


@job
async def tell_later() -> bool:
    """Return whether a coroutine knows its job."""
    return get_current_job() is not None


@job
def change_the_world() -> None:
    """Leave another language and another time zone active."""
    translation.activate("de")
    timezone.activate("Asia/Tokyo")


def _never(exception: BaseException, context: Any) -> bool:
    return False


def _hostile(exception: BaseException, context: Any) -> float:
    raise RuntimeError("no answer")


@job(retry_delay=_never)
def fail_for_good() -> None:
    """Fail, and let the callable refuse a retry."""
    raise ValueError("enough")


@job(retry_delay=_hostile)
def fail_with_hostile_policy() -> None:
    """Fail, and let the callable fail as well."""
    raise ValueError("again")


class Odd(Exception):
    """An error whose text depends on the moment."""


@job
def fail_at(line: int) -> None:
    """Fail in one of two places."""
    if line == 1:
        _here()
    raise Odd(f"{line} {id(object())}")


def _here() -> None:
    raise Odd(str(id(object())))
