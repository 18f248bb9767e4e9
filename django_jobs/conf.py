"""The one reader of `settings.DJANGO_JOBS`: every setting, its default and its check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from django_jobs.policies import CEILING
from django_jobs.states import Status

SETTING = "DJANGO_JOBS"
WEEK = 7 * 24 * 3600
# How long final jobs are kept where the project does not say, in seconds; None for ever.
KEPT: dict[str, Any] = {Status.COMPLETED.value: WEEK, Status.CANCELLED.value: WEEK, Status.DEAD.value: None}
LONGEST_AGE = 100 * CEILING


def _seconds(default: float, *, least: float) -> Any:
    return _setting(
        default,
        f"seconds ≥ {least:g} and at most a year",
        lambda value: type(value) in (int, float) and least <= value <= CEILING,
    )


def _seconds_or_none(default: float | None, *, least: float) -> Any:
    checked = _seconds(0, least=least).metadata
    return _setting(
        default,
        f"None or {checked['expected']}",
        lambda value: value is None or checked["accepts"](value),
    )


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and value >= least


def _alias(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value in settings.DATABASES)


def _names(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value)


def _retention(value: Any) -> bool:
    return isinstance(value, dict) and all(status in KEPT and _is_age(age) for status, age in value.items())


def _is_age(value: Any) -> bool:
    age = _seconds_of(value)
    return age is None or (type(age) in (int, float) and 0 <= age <= LONGEST_AGE)


def _seconds_of(age: float | timedelta | None) -> float | None:
    return age.total_seconds() if isinstance(age, timedelta) else age


def _options(value: Any) -> bool:
    return isinstance(value, dict)


def _setting(default: Any, expected: str, accepts: Callable[[Any], bool]) -> Any:
    make = {"default_factory": lambda: default} if isinstance(default, (list, dict)) else {"default": default}
    return field(**make, metadata={"expected": expected, "accepts": accepts})


@dataclass(frozen=True)
class Conf:
    """The settings in force; times in seconds, sizes in bytes."""

    DATABASE: str | None = _setting(None, "an alias of DATABASES or None", _alias)
    LEASE: float = _seconds(60, least=1)
    RESCUE_INTERVAL: float = _seconds(5, least=0.1)
    POLL_INTERVAL: float | None = _seconds_or_none(None, least=0.01)
    LISTEN_ALIAS: str | None = _setting(None, "an alias of DATABASES or None", _alias)
    RECEIVER_TIMEOUT: float = _seconds(30, least=0.1)
    KILL_AFTER: float = _seconds(1, least=0)
    SHUTDOWN_GRACE: float = _seconds(25, least=0)
    MAX_PAYLOAD: int = _setting(256 * 1024, "a whole number of bytes ≥ 1", _whole(1))
    MAX_RESULT: int = _setting(1024 * 1024, "a whole number of bytes ≥ 1", _whole(1))
    MAX_ERROR_TEXT: int = _setting(16 * 1024, "a whole number of bytes ≥ 100", _whole(100))
    MAX_TRACEBACK: int = _setting(64 * 1024, "a whole number of bytes ≥ 100", _whole(100))
    UNKNOWN_FUNCTION_TTL: float = _seconds(7 * 24 * 3600, least=0)
    RETENTION: dict[str, Any] = _setting(
        KEPT,
        f"a dict of {', '.join(KEPT)} to seconds ≥ 0, a timedelta, or None for ever",
        _retention,
    )
    PRUNE_INTERVAL: float = _seconds(60, least=0.1)
    COUNTERS_KEPT: float = _seconds(30 * 24 * 3600, least=3600)
    IMPORTS: list[str] = _setting([], "a list of module names", _names)
    SERIALIZERS: list[str] = _setting([], "a list of 'cloudpickle' and dotted paths of classes", _names)
    DEFAULT_OPTIONS: dict[str, Any] = _setting({}, "a dict of job options", _options)

    @property
    def retention(self) -> dict[Status, float | None]:
        """How many seconds jobs of each final status are kept; None for ever."""
        kept = {**KEPT, **self.RETENTION}
        return {Status(status): _seconds_of(age) for status, age in kept.items()}


def _check(values: Any) -> list[str]:
    if not isinstance(values, Mapping):
        return [f"{SETTING} must be a dict, not {values!r}"]
    known = {each.name: each for each in fields(Conf)}
    errors = [
        f"{SETTING} has no setting {name!r}; its settings are {', '.join(known)}"
        for name in values
        if name not in known
    ]
    for name, value in values.items():
        if name in known and not known[name].metadata["accepts"](value):
            errors.append(f"{SETTING}[{name!r}] must be {known[name].metadata['expected']}, not {value!r}")
    return errors


def errors() -> list[str]:
    """Return what is wrong with the project's settings, a sentence each."""
    return _check(getattr(settings, SETTING, {}))


@cache
def conf() -> Conf:
    """Return the settings in force.

    Raises:
        ImproperlyConfigured: a setting is unknown or has a wrong value; names all of them.
    """
    if wrong := errors():
        raise ImproperlyConfigured("; ".join(wrong))
    return Conf(**getattr(settings, SETTING, {}))


def secret_keys() -> list[str | bytes]:
    """Return the keys that signatures are made with: the present one, then those that were before."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _forget(*, setting: str, **_: Any) -> None:
    if setting == SETTING:
        conf.cache_clear()


setting_changed.connect(_forget)
