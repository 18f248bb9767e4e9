"""Columns that are sent as the text of an array."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID

import pytest
from django.db import DataError, connection

from django_jobs.engines.postgresql.arrays import array

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.django_db]

MOMENT = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)


class _Colour(StrEnum):
    RED = "red"


def _read_back(column: list[object], type_: str) -> list[object]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT given FROM unnest(%s::{type_}[]) AS given", [array(column)])
        return [value for (value,) in cursor.fetchall()]


@pytest.mark.parametrize(
    ("type_", "column"),
    [
        ("bigint", [1, -(2**63), None, 2**63 - 1]),
        ("double precision", [0.1, None, float("inf"), 1e300]),
        ("uuid", [UUID(int=1), None, UUID(int=2**128 - 1)]),
        ("timestamptz", [MOMENT, None, MOMENT.replace(microsecond=0), datetime(1, 1, 2, tzinfo=UTC)]),
        ("timestamptz", [MOMENT.astimezone(timezone(timedelta(hours=-9, minutes=-30)))]),
        ("text", ["", "NULL", None, "null", " ", "a,b", "{}", "{", '"', '""', "\\", '\\"', "'", "%s", "%"]),
        ("text", ["\n\t\r", "ü\u2028\U0001f600", "{a,b}", "\\N", "\\x41", "$1", "''; SELECT 1 --"]),
        ("text", [None, None]),
        ("text", []),
    ],
)
def test_what_is_sent_is_what_is_read(type_: str, column: list[object]) -> None:
    assert _read_back(column, type_) == column


def test_what_extends_a_plain_type_is_left_to_the_driver() -> None:
    assert array([_Colour.RED, "blue"]) == [_Colour.RED, "blue"]
    assert array([True, 1]) == [True, 1]


def test_text_that_cannot_be_stored_is_refused() -> None:
    with pytest.raises((DataError, ValueError)):
        _read_back(["a\0b"], "text")


def test_a_number_that_has_no_room_is_refused() -> None:
    with pytest.raises(DataError):
        _read_back([2**63], "bigint")
