"""The options that have no column, as they travel with the row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from django_jobs import policies
from django_jobs.exceptions import SerializationError
from django_jobs.options import checks
from django_jobs.policies import Policy

AT_ONCE = policies.fixed(0.0)
# Stored in place of a callable, which only the function itself knows.
CALLABLE = "callable"


@dataclass(frozen=True)
class StoredOptions:
    """The options a row carries besides its columns, enough to retry a job one does not know.

    Attributes:
        retry_delay: the numeric policy; None where the function has a callable.
        retry_on: dotted names of exceptions to retry; None means all.
        dont_retry_on: dotted names of exceptions never to retry.
        max_memory: bytes a run may take on top of what its process has; None for any number.
        soft_timeout: seconds after which the run should end by itself; None for no such limit.
        soft_timeout_raises: whether it is interrupted then, without asking.
        result_ttl: seconds the result is kept after the job completed; None: as long as the job.
        on_failure: the name of the function that is called when the job is dead.
        follows: of a job that was made so, the functions that died before it, the first one first.
        description: what the caller said about the job.
        sensitive: the arguments nobody is to see: name to position, None where there is none.
    """

    retry_delay: Policy | None = AT_ONCE
    retry_on: tuple[str, ...] | None = None
    dont_retry_on: tuple[str, ...] = ()
    max_memory: int | None = None
    soft_timeout: float | None = None
    soft_timeout_raises: bool = False
    result_ttl: float | None = None
    on_failure: str | None = None
    follows: tuple[str, ...] = ()
    description: str = ""
    sensitive: Mapping[str, int | None] = field(default_factory=dict)

    @staticmethod
    def load(text: str | None) -> StoredOptions:
        """Read what `Options.stored` wrote; unknown keys are those of newer versions and ignored.

        Raises:
            SerializationError: the text is corrupt.
        """
        try:
            return _read(text)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise SerializationError(f"the stored options cannot be read: {error}") from error

    @staticmethod
    def of(data: dict[str, Any]) -> StoredOptions:
        """Return the options of what the text holds; raises whatever comes of a wrong one."""
        delay = data.get("retry_delay", policies.to_json(AT_ONCE))
        retry_on, ttl, memory = data.get("retry_on"), data.get("result_ttl"), data.get("max_memory")
        soft = data.get("soft_timeout")
        return StoredOptions(
            retry_delay=None if delay == CALLABLE else policies.from_json(delay),
            retry_on=None if retry_on is None else tuple(map(str, retry_on)),
            dont_retry_on=tuple(map(str, data.get("dont_retry_on") or ())),
            max_memory=None if memory is None else _bytes(memory),
            soft_timeout=None if soft is None else policies.seconds(soft, "soft_timeout"),
            soft_timeout_raises=bool(data.get("soft_timeout_raises")),
            result_ttl=None if ttl is None else policies.seconds(ttl, "result_ttl"),
            on_failure=checks.on_failure("on_failure", data.get("on_failure")),
            follows=tuple(map(str, data.get("follows") or ())),
            description=str(data.get("description", "")),
            sensitive={name: _position(place) for name, place in data.get("sensitive", {}).items()},
        )


# Jobs of one function mostly have the same options, and most jobs have none.
@lru_cache(maxsize=256)
def _read(text: str | None) -> StoredOptions:
    return StoredOptions() if text is None else StoredOptions.of(json.loads(text))


def _bytes(value: object) -> int:
    # Beyond that the kernel's limit would be another number, or none.
    if type(value) is not int or not 0 < value <= 2**50:
        raise ValueError(f"max_memory is {value!r}")
    return value


def _position(value: object) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise ValueError(f"{value!r} is no position")
    return value


def result_ttl(text: object) -> float | None:
    """Return the option of a row with these stored options; None where they have none or are corrupt."""
    stored = _having("result_ttl", text)
    return stored.result_ttl if stored else None


def interrupting_soft_timeout(text: object) -> float | None:
    """Return the soft limit (seconds) at which a run is interrupted; None where none is, or likewise."""
    stored = _having("soft_timeout_raises", text)
    return stored.soft_timeout if stored and stored.soft_timeout_raises else None


class OnFailure(NamedTuple):
    """What is called when a job is dead: the name of a function, and of those that died before it."""

    function: str
    follows: tuple[str, ...]


def on_failure(text: object, *, of: str) -> OnFailure | None:
    """Return what is called when a job of this function is dead; None where nothing is, or likewise."""
    stored = _having("on_failure", text)
    return OnFailure(stored.on_failure, (*stored.follows, str(of))) if stored and stored.on_failure else None


def _having(option: str, text: object) -> StoredOptions | None:
    # Asked at each ack and each look at the clock, and most jobs have none of these.
    if not isinstance(text, str) or f'"{option}"' not in text:
        return None
    with suppress(SerializationError):
        return StoredOptions.load(text)
    return None
