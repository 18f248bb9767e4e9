"""JSON gives back what it was given, or refuses it with the place."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import OrderedDict, defaultdict, namedtuple
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from django_jobs import SerializationError
from django_jobs.serializers import JSONSerializer

serializer = JSONSerializer()


def round_trip(value: Any) -> Any:
    return serializer.loads(serializer.dumps(value))


TEXT = st.text(st.characters())
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.uuids(),
)
KEYS = st.one_of(st.sampled_from(["$datetime", "$dict", "$tuple", "$", "$too_large"]), TEXT)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(KEYS, inner, max_size=3),
    ),
    max_leaves=10,
)


@given(VALUES)
def test_what_can_be_stored_comes_back_equal_and_of_its_type(value: Any) -> None:
    back = round_trip(value)
    assert back == value
    assert type(back) is type(value)


@given(VALUES)
def test_the_stored_text_is_clean_utf8_without_nul(value: Any) -> None:
    assert "\0" not in serializer.dumps(value).decode()


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        date.max,
        time(23, 59, 59, 999_999),
        timedelta.min,
        timedelta.max,
        timedelta(microseconds=-1),
        Decimal("1E+500"),
        Decimal("-0.00"),
        UUID(int=0),
        2**80,
        0.1 + 0.2,
        "half a pair \ud800, NUL \0, 🦀",
    ],
)
def test_edges_come_back(value: Any) -> None:
    assert round_trip(value) == value


@pytest.mark.parametrize(
    "value",
    [
        {"$datetime": "2026-01-01"},
        {"$dict": {"$dict": 1}},
        {"$unknown": 1},
        {"$": None},
        {"$uuid": 1, "b": 2},
    ],
)
def test_a_dict_that_looks_like_a_tag_stays_what_it_is(value: Any) -> None:
    assert round_trip([value]) == [value]


def test_text_stays_readable() -> None:
    assert serializer.dumps({"city": "Zürich"}).decode() == '{"city":"Zürich"}'


def test_subclasses_that_are_equal_to_their_base_are_taken_as_it() -> None:
    class Colour(StrEnum):
        RED = "red"

    class Level(IntEnum):
        HIGH = 3

    value = [Colour.RED, Level.HIGH, OrderedDict(a=1), defaultdict(int, b=2)]
    assert round_trip(value) == ["red", 3, {"a": 1}, {"b": 2}]


class Shade(Enum):
    DARK = 1


Point = namedtuple("Point", "x y")


def itself() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


def deep() -> Any:
    value: Any = 1
    for _ in range(10_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, {2}]}, r"^\['a'\]\[1\] is a set"),
        ({"a": {1: 2}}, r"^\['a'\] has the key 1: keys must be str"),
        ([float("nan")], r"^\[0\] is nan"),
        ([float("-inf")], r"^\[0\] is -inf"),
        ((1, (2, b"x")), r"\[1\]\[1\] is a bytes"),
        (threading.Lock(), "the value is a lock"),
        (object(), "the value is a object"),
        ([Shade.DARK], r"\[0\] is a Shade"),
        (Point(1, 2), "namedtuple"),
        (QueryDict("a=1&a=2"), "is a QueryDict, which shows other values"),
        ({"a": 10**5000}, "4300 digits"),
        ([time(12, tzinfo=ZoneInfo("Europe/Berlin"))], r"^\[0\] cannot be stored: without a date"),
        (itself(), "contains itself"),
        (deep(), "nested too deeply"),
        (ValueError, "is a type"),
        (len, "is a builtin_function_or_method"),
    ],
)
def test_what_would_not_come_back_is_refused_with_the_place(value: Any, message: str) -> None:
    with pytest.raises(SerializationError, match=message):
        serializer.dumps(value)


def test_open_files_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file, pytest.raises(SerializationError, match="TextIOWrapper"):
        serializer.dumps({"file": file})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe\xfd",
        b'{"$datetime":5}',
        b'{"$datetime":"yesterday"}',
        b'{"$decimal":"x"}',
        b'{"$uuid":"x"}',
        b'{"$timedelta":"x"}',
        b'{"$tuple":5}',
        b'{"$dict":5}',
        b'{"$model":5}',
        b'{"$model":["no.such",1,"default"]}',
        b'{"$newer":1}',
        b"[" * 100_000,
    ],
)
def test_corrupt_bytes_are_a_serialization_error(data: bytes) -> None:
    with pytest.raises(SerializationError):
        serializer.loads(data)


@given(st.binary())
def test_no_bytes_whatever_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(SerializationError):
        serializer.loads(data)


@given(
    st.sampled_from(["$datetime", "$date", "$time", "$timedelta", "$decimal", "$uuid", "$tuple", "$dict"]),
    VALUES,
)
def test_no_tag_with_a_wrong_content_raises_anything_else(tag: str, content: Any) -> None:
    data = json.dumps({tag: json.loads(serializer.dumps(content))}).encode()
    with contextlib.suppress(SerializationError):
        serializer.loads(data)
