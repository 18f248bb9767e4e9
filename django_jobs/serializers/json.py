"""JSON that gives back what it was given: tagged dates, times, decimals, UUIDs, tuples, model instances.

A tag is a dict of one key beginning with `$`; a dict of the user's that looks like one is
wrapped in a `$dict`. Whatever would not come back equal is refused; what extends a plain type, as
a `TextChoices` or an `OrderedDict`, comes back as the plain value it equals, and an aware datetime
with the offset it had.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils.dateparse import parse_duration
from django.utils.duration import duration_iso_string

from django_jobs.exceptions import SerializationError
from django_jobs.serializers import instances

# One tag each; datetime before date, whose subclass it is.
_TAGS: list[tuple[str, type, Callable[[Any], Any], Callable[[Any], Any]]] = [
    ("$datetime", datetime, datetime.isoformat, datetime.fromisoformat),
    ("$date", date, date.isoformat, date.fromisoformat),
    ("$time", time, lambda value: _time(value), time.fromisoformat),
    ("$timedelta", timedelta, duration_iso_string, lambda text: _duration(text)),
    ("$decimal", Decimal, str, Decimal),
    ("$uuid", UUID, str, UUID),
    ("$tuple", tuple, lambda value: _encode_list(value), lambda items: tuple(map(_decode, items))),
    (
        "$model",
        Model,
        lambda value: _encode(instances.key_of(value)),
        lambda key: instances.load(_decode(key)),
    ),
]
_DECODERS = {tag: decode for tag, _, _, decode in _TAGS}
_DICT = "$dict"
# What stands for itself, where it is of this very type; asked of a whole list or dict at once.
_PLAIN, _KEYS = {str, int, bool, type(None)}, {str}
# We never write a `$` so, but a row that somebody else has written means the same by it.
_ESCAPED_SIGN = "\\u0024"

# Not check_circular, for which each list and dict is noted while it is written: what contains itself has
# been refused by then.
_readable = json.JSONEncoder(allow_nan=False, check_circular=False, ensure_ascii=False, separators=(",", ":"))
_escaped = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":"))
_read = json.JSONDecoder().raw_decode


class Unstorable(SerializationError):
    """A value that JSON cannot give back; knows where in the whole it was found."""

    def __init__(self, reason: str, path: str = "") -> None:
        self.reason, self.path = reason, path
        super().__init__(f"{path or 'the value'} {reason}")

    def within(self, step: str) -> Unstorable:
        """Return the same seen from one level further up."""
        return Unstorable(self.reason, step + self.path)


class JSONSerializer:
    """The default serializer."""

    name = "json"

    def dumps(self, value: Any) -> bytes:
        """Encode a value.

        Raises:
            SerializationError: something in it cannot be stored; says where and why.
        """
        try:
            return _text(_encode(value))
        except RecursionError:
            raise Unstorable("is nested too deeply, or contains itself") from None
        except ValueError as error:  # an int of over 4,300 digits
            raise Unstorable(f"cannot be stored: {error}") from error

    def loads(self, data: bytes) -> Any:
        """Decode what `dumps` wrote.

        Raises:
            SerializationError: it is corrupt, or names something that no longer exists.
        """
        try:
            text = data.decode(errors="surrogatepass")
        except ValueError as error:
            raise _unreadable(error) from error
        return self.loads_text(text)

    def loads_text(self, text: str) -> Any:
        """Decode what `dumps` wrote, as a row has it.

        Raises:
            SerializationError: as `loads`.
        """
        try:
            value = _value(text)
            return _decode(value) if _may_be_tagged(text) else value
        except SerializationError:
            raise
        except (ValueError, TypeError, ArithmeticError, AttributeError, RecursionError) as error:
            raise _unreadable(error) from error


def _value(text: str) -> Any:
    # What we have written begins at once and has nothing behind it: no need to look for blanks at both ends.
    try:
        value, end = _read(text)
    except ValueError:
        end = -1
    return value if end == len(text) else json.loads(text)  # which also says what is wrong


def _unreadable(error: Exception) -> SerializationError:
    return SerializationError(f"the stored JSON cannot be read: {error}")


def _text(plain: Any) -> bytes:
    try:
        return _readable.encode(plain).encode()
    except UnicodeEncodeError:  # lone surrogates: only their escapes can be stored
        return _escaped.encode(plain).encode()


def _encode(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, dict):
        return _encode_dict(value)
    if isinstance(value, list):
        return _encode_list(value)
    if isinstance(value, float):
        return _encode_float(value)
    if isinstance(value, (str, int)):
        return value
    return _encode_tagged(value)


def _encode_float(value: float) -> float:
    if not math.isfinite(value):
        raise Unstorable(f"is {value!r}, which JSON does not have")
    return value


def _encode_list(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    if _PLAIN.issuperset(map(type, value)):
        return list(value)
    items = []
    for index, item in enumerate(value):
        try:
            items.append(_encode(item))
        except Unstorable as error:
            raise error.within(f"[{index}]") from error.__cause__
    return items


def _encode_dict(value: dict[Any, Any]) -> dict[str, Any]:
    if (
        type(value) is dict
        and _PLAIN.issuperset(map(type, value.values()))
        and _KEYS.issuperset(map(type, value))
    ):
        return {_DICT: value} if _looks_tagged(value) else value
    if type(value).__getitem__ is not dict.__getitem__:
        # As Django's QueryDict, which shows one value of each list it holds.
        raise Unstorable(f"is a {type(value).__name__}, which shows other values than it holds; pass a dict")
    plain = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise Unstorable(f"has the key {key!r}: keys must be str, not {type(key).__name__}")
        try:
            plain[key] = _encode(item)
        except Unstorable as error:
            raise error.within(f"[{key!r}]") from error.__cause__
    return {_DICT: plain} if _looks_tagged(plain) else plain


def _encode_tagged(value: Any) -> dict[str, Any]:
    if hasattr(type(value), "_fields"):
        raise Unstorable("is a namedtuple, which would come back as a plain tuple; pass ._asdict()")
    for tag, kind, encode, _ in _TAGS:
        if isinstance(value, kind):
            return {tag: _encode_content(encode, value)}
    raise Unstorable(f"is a {type(value).__name__}, which JSON cannot store")


def _encode_content(encode: Callable[[Any], Any], value: Any) -> Any:
    try:
        return encode(value)
    except ValueError as error:
        raise Unstorable(f"cannot be stored: {error}") from error


def _may_be_tagged(text: str) -> bool:
    # Most hold no tag, and to see that takes a fraction of the time of a walk through the value.
    return '"$' in text or _ESCAPED_SIGN in text


def _looks_tagged(plain: dict[str, Any]) -> bool:
    return len(plain) == 1 and next(iter(plain)).startswith("$")


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not _looks_tagged(value):
        return {key: _decode(item) for key, item in value.items()}
    ((tag, content),) = value.items()
    if tag == _DICT:
        return {key: _decode(item) for key, item in content.items()}
    if tag not in _DECODERS:
        raise SerializationError(f"the tag {tag!r} is unknown here")
    return _DECODERS[tag](content)


def _time(value: time) -> str:
    if value.tzinfo is not None and value.utcoffset() is None:
        raise ValueError(
            "without a date its time zone has no offset, and would be lost; pass the zone's name"
        )
    return value.isoformat()


def _duration(text: str) -> timedelta:
    if (duration := parse_duration(text)) is None:
        raise ValueError(f"{text!r} is no duration")
    return duration
