"""The options of a job: their names, defaults and checks, and how they travel with the row."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from django.core.exceptions import ImproperlyConfigured

from django_jobs import policies
from django_jobs.conf import conf
from django_jobs.exceptions import SerializationError, UnknownOption, exception_name
from django_jobs.policies import Policy

DEFAULT_QUEUE = "default"
RetryCallable = Callable[[BaseException, Any], "float | bool"]

DECORATOR, CALL, SETTINGS = "@job", "using()", 'DJANGO_JOBS["DEFAULT_OPTIONS"]'
_SMALLINT = 32_767
_AT_ONCE = policies.fixed(0.0)
# Stored in place of a callable, which only the function itself knows.
CALLABLE = "callable"


def _label(longest: int, also_refused: str) -> Callable[[str, Any], str]:
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


def _whole(least: int, most: int) -> Callable[[str, Any], int]:
    def check(option: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{option} must be a whole number, not {value!r}")
        if not least <= value <= most:
            raise ValueError(f"{option} must be between {least:,} and {most:,}, not {value:,}")
        return int(value)

    return check


def _description(option: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{option} must be a str, not {value!r}")
    if len(value) > 500:
        raise ValueError(f"{option} must be at most 500 characters, not {len(value):,}")
    return value


def _timeout(option: str, value: Any) -> float | None:
    return None if value is None else policies.seconds(value, option, least=0.001)


def _retry_delay(option: str, value: Any) -> Policy | RetryCallable:
    if not callable(value):
        return policies.policy_of(value)
    try:
        inspect.signature(value).bind(ValueError(), None)
    except TypeError as error:
        raise ValueError(f"{option}: a callable takes (exception, job), and {value!r}: {error}") from None
    if inspect.iscoroutinefunction(value):
        raise ValueError(f"{option}: a callable must be a plain function, not the coroutine {value!r}")
    return value  # type: ignore[no-any-return]


def _exceptions(option: str, value: Any) -> tuple[str, ...] | None:
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


def _run_after(option: str, value: Any) -> datetime | timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    if not isinstance(value, datetime):
        raise TypeError(f"{option} must be an aware datetime or a timedelta, not {value!r}")
    if value.utcoffset() is None:
        raise ValueError(
            f"{option} must be aware, and {value!r} is naive; see django.utils.timezone.make_aware"
        )
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{option} is out of range: {value!r}") from None


def _rule(check: Callable[[str, Any], Any], *places: str) -> dict[str, Any]:
    return {"check": check, "places": places or (DECORATOR, CALL, SETTINGS)}


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a job function or of one call of it, each with its value or its default.

    Attributes:
        given: the names of those that were set here; the others may come from elsewhere.
    """

    name: str | None = field(default=None, metadata=_rule(_label(255, " "), DECORATOR))
    queue: str = field(default=DEFAULT_QUEUE, metadata=_rule(_label(100, " ,*")))
    priority: int = field(default=0, metadata=_rule(_whole(-_SMALLINT, _SMALLINT)))
    max_attempts: int = field(default=3, metadata=_rule(_whole(1, _SMALLINT)))
    retry_delay: Policy | RetryCallable = field(default=_AT_ONCE, metadata=_rule(_retry_delay))
    timeout: float | None = field(default=300.0, metadata=_rule(_timeout))
    retry_on: tuple[str, ...] | None = field(default=None, metadata=_rule(_exceptions))
    dont_retry_on: tuple[str, ...] | None = field(default=None, metadata=_rule(_exceptions))
    description: str = field(default="", metadata=_rule(_description))
    run_after: datetime | timedelta | None = field(default=None, metadata=_rule(_run_after, CALL))
    given: frozenset[str] = frozenset()

    @classmethod
    def of(cls, values: Mapping[str, Any], *, place: str) -> Self:
        """Check options given at a place: `@job`, `using()` or the settings.

        Raises:
            UnknownOption: one is unknown, or unknown at this place; lists the valid ones.
            TypeError, ValueError: one has a wrong value; says what was expected and what came.
        """
        known = {each.name: each.metadata["check"] for each in _fields_of(place)}
        values = _without_max_retries(values)
        if unknown := [name for name in values if name not in known]:
            raise UnknownOption([_misplaced(name) for name in unknown], [*known, "max_retries"])
        if place != DECORATOR and callable(values.get("retry_delay")):
            raise TypeError(
                "a callable as retry_delay can be given to @job only: the worker looks it up there"
            )
        checked = {name: known[name](name, value) for name, value in values.items()}
        return cls(**checked, given=frozenset(checked))

    def over(self, base: Self) -> Self:
        """Return these options, with what is not given here taken from `base`."""
        values = {name: getattr(self, name) for name in self.given}
        return replace(base, **values, given=self.given | base.given)

    def resolved(self) -> Self:
        """Return these options over those of the settings."""
        if not conf().DEFAULT_OPTIONS:
            return self
        return self.over(self.of_project())

    @classmethod
    def of_project(cls) -> Self:
        """Return the options that DJANGO_JOBS["DEFAULT_OPTIONS"] gives.

        Raises:
            ImproperlyConfigured: one is unknown or has a wrong value.
        """
        try:
            return cls.of(conf().DEFAULT_OPTIONS, place=SETTINGS)
        except (TypeError, ValueError) as error:
            raise ImproperlyConfigured(f"{SETTINGS}: {error}") from error

    @property
    def retry_callable(self) -> RetryCallable | None:
        """The callable given as retry_delay, None where it is a numeric policy."""
        return None if isinstance(self.retry_delay, Policy) else self.retry_delay

    def stored(self) -> str | None:
        """Return the JSON of what differs from the defaults and has no column; None when nothing does."""
        kept = {
            name: getattr(self, name)
            for name in ("retry_delay", "retry_on", "dont_retry_on", "description")
            if getattr(self, name) != getattr(Options, name)
        }
        if "retry_delay" in kept:
            policy = kept["retry_delay"]
            kept["retry_delay"] = policies.to_json(policy) if isinstance(policy, Policy) else CALLABLE
        return json.dumps(kept) if kept else None


def _misplaced(name: str) -> str:
    places = [
        place for each in fields(Options) if each.name == name for place in each.metadata.get("places", ())
    ]
    return f"{name} (known to {places[0]} only)" if places else name


def _fields_of(place: str) -> list[Any]:
    return [each for each in fields(Options) if place in each.metadata.get("places", ())]


def _without_max_retries(values: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(values)
    if "max_retries" not in given:
        return given
    retries = _whole(0, _SMALLINT - 1)("max_retries", given.pop("max_retries"))
    if given.setdefault("max_attempts", retries + 1) != retries + 1:
        raise TypeError(
            f"max_attempts={given['max_attempts']!r} and max_retries={retries} disagree: "
            f"max_attempts counts runs, so {retries} retries are max_attempts={retries + 1}; give one of them"
        )
    return given


@dataclass(frozen=True)
class StoredOptions:
    """The options a row carries besides its columns, enough to retry a job one does not know.

    Attributes:
        retry_delay: the numeric policy; None where the function has a callable.
        retry_on: dotted names of exceptions to retry; None means all.
        dont_retry_on: dotted names of exceptions never to retry.
        description: what the caller said about the job.
    """

    retry_delay: Policy | None = _AT_ONCE
    retry_on: tuple[str, ...] | None = None
    dont_retry_on: tuple[str, ...] = ()
    description: str = ""

    @classmethod
    def load(cls, text: str | None) -> Self:
        """Read what `Options.stored` wrote; unknown keys are those of newer versions and ignored.

        Raises:
            SerializationError: the text is corrupt.
        """
        if text is None:
            return cls()
        try:
            return cls._of(json.loads(text))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise SerializationError(f"the stored options cannot be read: {error}") from error

    @classmethod
    def _of(cls, data: dict[str, Any]) -> Self:
        delay = data.get("retry_delay", policies.to_json(_AT_ONCE))
        retry_on = data.get("retry_on")
        return cls(
            retry_delay=None if delay == CALLABLE else policies.from_json(delay),
            retry_on=None if retry_on is None else tuple(map(str, retry_on)),
            dont_retry_on=tuple(map(str, data.get("dont_retry_on") or ())),
            description=str(data.get("description", "")),
        )
