"""The options of a job function and of one call: their names, defaults and places."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Self

from django.core.exceptions import ImproperlyConfigured

from django_jobs import policies
from django_jobs.conf import conf
from django_jobs.exceptions import UnknownOption
from django_jobs.options import checks, sensitive
from django_jobs.options.checks import RetryCallable
from django_jobs.options.sensitive import Sensitive
from django_jobs.options.stored import AT_ONCE, CALLABLE
from django_jobs.policies import Policy

DEFAULT_QUEUE = "default"
DECORATOR, CALL, SETTINGS = "@job", "using()", 'DJANGO_JOBS["DEFAULT_OPTIONS"]'
_SMALLINT = 32_767
# Those without a column.
_STORED = (
    "retry_delay",
    "retry_on",
    "dont_retry_on",
    "max_memory",
    "soft_timeout",
    "soft_timeout_raises",
    "result_ttl",
    "on_failure",
    "follows",
    "description",
    "sensitive",
)


def _rule(check: Callable[[str, Any], Any], *places: str) -> dict[str, Any]:
    return {"check": check, "places": places or (DECORATOR, CALL, SETTINGS)}


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a job function or of one call of it, each with its value or its default.

    Attributes:
        follows: nobody gives it: of a job that an `on_failure` has made, the functions that died before it.
        given: the names of those that were set here; the others may come from elsewhere.
    """

    name: str | None = field(default=None, metadata=_rule(checks.label(255, " "), DECORATOR))
    queue: str = field(default=DEFAULT_QUEUE, metadata=_rule(checks.queue))
    priority: int = field(default=0, metadata=_rule(checks.whole(-_SMALLINT, _SMALLINT)))
    max_attempts: int = field(default=3, metadata=_rule(checks.whole(1, _SMALLINT)))
    retry_delay: Policy | RetryCallable = field(default=AT_ONCE, metadata=_rule(checks.retry_delay))
    timeout: float | None = field(default=300.0, metadata=_rule(checks.timeout))
    max_memory: int | None = field(default=None, metadata=_rule(checks.memory))
    soft_timeout: float | None = field(default=None, metadata=_rule(checks.timeout))
    soft_timeout_raises: bool = field(default=False, metadata=_rule(checks.flag))
    retry_on: tuple[str, ...] | None = field(default=None, metadata=_rule(checks.exceptions))
    dont_retry_on: tuple[str, ...] | None = field(default=None, metadata=_rule(checks.exceptions))
    result_ttl: float | None = field(default=None, metadata=_rule(checks.result_ttl))
    on_failure: str | None = field(default=None, metadata=_rule(checks.on_failure))
    description: str = field(default="", metadata=_rule(checks.description))
    serializer: str = field(default="json", metadata=_rule(checks.serializer))
    sensitive: Sensitive = field(default=(), metadata=_rule(sensitive.names, DECORATOR))
    run_after: datetime | timedelta | None = field(default=None, metadata=_rule(checks.run_after, CALL))
    follows: tuple[str, ...] = ()
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
        made = cls(**checked, given=frozenset(checked))
        # What a call does not say the function may.
        return made if place == CALL else made.with_limits_in_order()

    def over(self, base: Self) -> Self:
        """Return these options, with what is not given here taken from `base`."""
        values = {name: getattr(self, name) for name in self.given}
        return replace(base, **values, given=self.given | base.given)

    def with_limits_in_order(self) -> Self:
        """Return these options, if a soft limit has a chance before the hard one.

        Raises:
            ValueError: soft_timeout is not less than timeout, or soft_timeout_raises without one.
        """
        soft, hard = self.soft_timeout, self.timeout
        if soft is not None and hard is not None and soft >= hard:
            known = "" if "timeout" in self.given else ", which is the default: give timeout= as well"
            raise ValueError(f"soft_timeout ({soft:g} s) must be less than timeout ({hard:g} s{known})")
        if self.soft_timeout_raises and soft is None:
            raise ValueError("soft_timeout_raises=True says nothing without a soft_timeout")
        return self

    def placed_in(self, signature: inspect.Signature, function: str) -> Self:
        """Return these options, their sensitive arguments found in the signature of the function.

        Raises:
            ValueError: one is not there; names it.
        """
        return replace(self, sensitive=sensitive.placed(self.sensitive, signature, function))

    def of_function(self, name: str) -> Self:
        """Return these options, if the function of this name may have them.

        Raises:
            ValueError: it would be called because of its own failure, and then of that of the call, for ever.
        """
        if self.on_failure == name:
            raise ValueError(f"on_failure cannot be {name} itself: a function that fails would call itself")
        return self

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
        return self._stored

    @cached_property
    def _stored(self) -> str | None:
        kept = {
            name: getattr(self, name) for name in _STORED if getattr(self, name) != getattr(Options, name)
        }
        if "retry_delay" in kept:
            policy = kept["retry_delay"]
            kept["retry_delay"] = policies.to_json(policy) if isinstance(policy, Policy) else CALLABLE
        if "sensitive" in kept:
            kept["sensitive"] = dict(kept["sensitive"])
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
    retries = checks.whole(0, _SMALLINT - 1)("max_retries", given.pop("max_retries"))
    if given.setdefault("max_attempts", retries + 1) != retries + 1:
        raise TypeError(
            f"max_attempts={given['max_attempts']!r} and max_retries={retries} disagree: "
            f"max_attempts counts runs, so {retries} retries are max_attempts={retries + 1}; give one of them"
        )
    return given
