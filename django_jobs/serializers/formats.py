"""Which serializers there are, and which of them this project accepts."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from typing import Any, Protocol

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.utils.module_loading import import_string

from django_jobs import registry
from django_jobs.conf import conf
from django_jobs.exceptions import JobsError, SerializationError, UnknownJobFunction, exception_name
from django_jobs.serializers.json import JSONSerializer, Unstorable

JSON = JSONSerializer()
_OURS = {
    JSON.name: "django_jobs.serializers.json.JSONSerializer",
    "cloudpickle": "django_jobs.serializers.pickles.CloudpickleSerializer",
}
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,39}")


class Serializer(Protocol):
    """What a serializer has to have; it is made without arguments."""

    name: str

    def dumps(self, value: Any) -> bytes:
        """Encode a value."""

    def loads(self, data: bytes) -> Any:
        """Decode what `dumps` wrote."""


@cache
def serializer_of(given: str) -> Serializer:
    """Return the serializer that an option or a setting names.

    Args:
        given: "json", "cloudpickle" or the dotted path of a class.

    Raises:
        ImproperlyConfigured: there is none, or it lacks something; says what.
    """
    try:
        made = import_string(_OURS.get(given, given))()
    except Exception as error:
        raise ImproperlyConfigured(f"the serializer {given!r} cannot be had: {error}") from error
    if reason := _refusal(made, given):
        raise ImproperlyConfigured(f"{given!r} is no serializer: {reason}")
    return made  # type: ignore[no-any-return]


def accepted(function: str) -> dict[str, Serializer]:
    """Return by its name each serializer whose bytes are loaded for jobs of this function.

    These are JSON, those of the settings, and the one the function was decorated with: code and
    settings say it, never a row.

    Raises:
        ImproperlyConfigured: one of them cannot be had.
    """
    named = [JSON.name, *conf().SERIALIZERS, conf().DEFAULT_OPTIONS.get("serializer", JSON.name)]
    with suppress(UnknownJobFunction):
        named.append(registry.find(function).options.serializer)
    return {each.name: each for each in map(serializer_of, named)}


def chosen(given: str, function: str) -> Serializer:
    """Return the serializer that the options of a call name.

    Raises:
        SerializationError: no worker would accept it for this function.
    """
    if given == JSON.name:
        return JSON
    serializer = serializer_of(given)
    if accepted(function).get(serializer.name) is not serializer:
        raise SerializationError(not_accepted(serializer.name, function))
    return serializer


def not_accepted(name: str, function: str) -> str:
    """Return the sentence about a format that nobody has switched on."""
    return (
        f"the serializer {name!r} is not switched on for {function}: "
        'name it in its @job(serializer=...) or in DJANGO_JOBS["SERIALIZERS"]'
    )


def encode(serializer: Serializer, value: Any) -> bytes:
    """Encode a value.

    Raises:
        SerializationError: it cannot be stored; says why, and where if the serializer tells.
    """
    try:
        data = serializer.dumps(value)
    except JobsError:
        raise
    except Exception as error:
        raise Unstorable(f"is refused by {serializer.name}: {exception_name(error)}: {error}") from error
    if type(data) is not bytes:
        raise Unstorable(f"cannot be stored: {serializer.name} made {type(data).__name__} of it, not bytes")
    return data


def decode(serializer: Serializer, data: bytes) -> Any:
    """Decode what `encode` returned.

    Raises:
        SerializationError: it cannot be loaded, as where a class is no longer there.
    """
    try:
        return serializer.loads(data)
    except (JobsError, DatabaseError):
        raise
    except Exception as error:
        reason = f"{exception_name(error)}: {error}"
        raise SerializationError(f"what {serializer.name} has stored cannot be read: {reason}") from error


def _refusal(serializer: Any, given: str) -> str | None:
    name = getattr(serializer, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "its name must be 1 to 40 of a-z, 0-9, _, . and -, beginning with a letter"
    if given not in _OURS and name in _OURS:
        return f"its name is {name!r}, which is one of ours"
    if not callable(getattr(serializer, "dumps", None)) or not callable(getattr(serializer, "loads", None)):
        return "it lacks dumps(value) -> bytes or loads(bytes) -> value"
    return None
