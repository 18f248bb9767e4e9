"""Job functions that tests of several rooms use. Append only."""

from __future__ import annotations

from typing import Any

from django_jobs import current_job, job


@job
def add(a: int, b: int = 0) -> int:
    """Add two numbers."""
    return a + b


@job
def echo(*args: Any, **kwargs: Any) -> list[Any]:
    """Return what was given."""
    return [list(args), kwargs]


@job
def fail(message: str = "broken") -> None:
    """Raise a ValueError."""
    raise ValueError(message)


@job
async def add_later(a: int, b: int) -> int:
    """Add two numbers in a coroutine."""
    return a + b


@job(queue="mail", priority=10, max_attempts=5, retry_delay=[10, 30, 60], timeout=30, description="a letter")
def send(address: str, *, subject: str = "") -> str:
    """Carry every option that is stored."""
    return f"{address}: {subject}"


@job
def make_group(name: str) -> list[Any]:
    """Write into the project's own database; return where the queue is and where the group."""
    from django.contrib.auth.models import Group

    return [current_job.database, Group.objects.create(name=name)._state.db]


@job(sensitive=("token", "pin", "extra_key"))
def log_in(user: str, token: str = "", *, pin: int = 0, **extra: Any) -> str:
    """Be given what nobody should see."""
    return user


@job(serializer="cloudpickle")
def apply(function: Any, *args: Any) -> Any:
    """Call a function that was given."""
    return function(*args)
