"""What each option accepts: a check takes the option's name and a value, and returns the value to keep."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from django_jobs import policies, sizes
from django_jobs.exceptions import exception_name
from django_jobs.policies import Policy

# What is later is beyond a datetime's range in some time zones: no page could show it there.
_END = datetime(9999, 12, 30, tzinfo=UTC)

RetryCallable = Callable[[BaseException, Any], "float | bool"]


def label(longest: int, also_refused: str) -> Callable[[str, Any], str]:
    def check(option: str, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{option} must be a str, not {value!r}")
        if not 1 <= len(value) <= longest or not value.isprintable() or set(value) & set(also_refused):
            raise ValueError(
                f"{option} must be 1 to {longest} printable characters, none of them one of "
                f"{', '.join(map(repr, also_refused))}, not {value!r}"
            )
        return value

    return check


# A worker's list of queues is written with commas, and `*` stands for any characters there.
queue = label(100, " ,*")


def whole(least: int, most: int) -> Callable[[str, Any], int]:
    def check(option: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{option} must be a whole number, not {value!r}")
        if not least <= value <= most:
            raise ValueError(f"{option} must be between {least:,} and {most:,}, not {value:,}")
        return int(value)

    return check


def serializer(option: str, value: Any) -> str:
    if not isinstance(value, str) or not all(part.isidentifier() for part in value.split(".")):
        raise TypeError(
            f"{option} must be 'json', 'cloudpickle' or the dotted path of a class, not {value!r}"
        )
    if value not in ("json", "cloudpickle") and "." not in value:
        raise ValueError(
            f"{option} must be 'json', 'cloudpickle' or the dotted path of a class, not {value!r}"
        )
    return value


def description(option: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{option} must be a str, not {value!r}")
    if len(value) > 500:
        raise ValueError(f"{option} must be at most 500 characters, not {len(value):,}")
    return value


def timeout(option: str, value: Any) -> float | None:
    return None if value is None else policies.seconds(value, option, least=0.001)


def memory(option: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError(f"{option} must be {sizes.EXPECTED}, not {value!r}")
    try:
        size = sizes.size(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from None
    # Less is too little to call a function, and the unit was forgotten.
    if not 1024**2 <= size <= 1024**5:
        raise ValueError(f"{option} must be between '1M' and '1024T', in bytes or with a unit, not {value!r}")
    return size


def flag(option: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{option} must be True or False, not {value!r}")
    return value


def result_ttl(option: str, value: Any) -> float | None:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    return None if seconds is None else policies.seconds(seconds, option, least=0.001)


def retry_delay(option: str, value: Any) -> Policy | RetryCallable:
    if not callable(value):
        return policies.policy_of(value)
    try:
        inspect.signature(value).bind(ValueError(), None)
    except TypeError as error:
        raise ValueError(f"{option}: a callable takes (exception, job), and {value!r}: {error}") from None
    if inspect.iscoroutinefunction(value):
        raise ValueError(f"{option}: a callable must be a plain function, not the coroutine {value!r}")
    return value  # type: ignore[no-any-return]


def exceptions(option: str, value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    given = [value] if isinstance(value, (str, type)) else value
    if not isinstance(given, Iterable):
        raise TypeError(f"{option} must be exception classes or their dotted names, not {value!r}")
    return tuple(_exception(option, each) for each in given)


def _exception(option: str, value: Any) -> str:
    if isinstance(value, type) and issubclass(value, BaseException):
        return exception_name(value)
    if isinstance(value, str) and all(part.isidentifier() for part in value.split(".")):
        return value
    raise TypeError(f"{option} must be exception classes or their dotted names; {value!r} is neither")


_name = label(255, " ")


def on_failure(option: str, value: Any) -> str | None:
    """Return the name of a job function, which may be given itself."""
    if value is None:
        return None
    name = value if isinstance(value, str) else getattr(value, "name", None)
    if not isinstance(name, str):
        raise TypeError(f"{option} must be a job function or the name of one, not {value!r}")
    return _name(option, name)


def run_after(option: str, value: Any) -> datetime | timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    if not isinstance(value, datetime):
        raise TypeError(f"{option} must be an aware datetime or a timedelta, not {value!r}")
    if value.utcoffset() is None:
        raise ValueError(
            f"{option} must be aware, and {value!r} is naive; see django.utils.timezone.make_aware"
        )
    return moment(option, value)


def moment(option: str, value: datetime) -> datetime:
    """Return an aware datetime in UTC; refuse one that some time zone cannot show."""
    with suppress(OverflowError):
        if (utc := value.astimezone(UTC)) < _END:
            return utc
    raise ValueError(f"{option} is out of range: {value!r} (all must be before {_END:%Y-%m-%d})")
