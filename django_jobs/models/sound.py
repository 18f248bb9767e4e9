"""Fields that can be read whatever stands in their columns.

SQLite stores any type in any column, PostgreSQL and MariaDB take moments that no datetime holds, and one
value that cannot be read fails the query for all other rows. What is none of its column's comes as the
nearest that is; a moment that cannot be read is long past.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from django.db import models

# A day within what a datetime holds: it must in every time zone.
EARLIEST, LATEST = "0001-01-02 00:00:00", "9999-12-30 00:00:00"
# What every column of whole numbers takes back.
LARGEST = 2**31 - 1
_WITHIN = "CASE WHEN {0} < {1} THEN {1} WHEN {0} > {2} THEN {2} ELSE {0} END"
# The time of day may have fractions of a second behind it, and nothing else.
IS_MOMENT = f"""(typeof({{0}}) = 'text' AND {{0}} BETWEEN '{EARLIEST}' AND '{LATEST}'
    AND datetime({{0}}) IS substr({{0}}, 1, 19) AND substr({{0}}, 20) NOT GLOB '*[^.0-9]*')"""
_MOMENTS = {
    "postgresql": _WITHIN.format("{0}", f"timestamptz '{EARLIEST}+00'", f"timestamptz '{LATEST}+00'"),
    "mysql": _WITHIN.format("{0}", f"TIMESTAMP'{EARLIEST}'", f"TIMESTAMP'{LATEST}'"),
    "sqlite": f"CASE WHEN {{0}} IS NULL OR {IS_MOMENT} THEN {{0}} ELSE '{EARLIEST}' END",
}
# Of what is no id one is made that no job has.
IS_ID = "(typeof({0}) = 'text' AND length({0}) = 32 AND {0} NOT GLOB '*[^0-9a-f]*')"
_ID = f"CASE WHEN {{0}} IS NULL OR {IS_ID} THEN {{0}} ELSE substr(hex({{0}}) || '{'0' * 32}', 1, 32) END"


def readable_moment(column: str, vendor: str) -> str:
    """Return the SQL that reads a column of moments."""
    return _MOMENTS.get(vendor, "{0}").format(column)


class _DateTimeField(models.DateTimeField):  # type: ignore[type-arg]
    def deconstruct(self) -> Any:
        return _as_django_s_own(super().deconstruct())

    def select_format(self, compiler: Any, sql: str, params: Any) -> Any:
        if params or _is_ordered_by(self, compiler.query):
            return sql, params
        return readable_moment(sql, compiler.connection.vendor), params


class _UUIDField(models.UUIDField):  # type: ignore[type-arg]
    def deconstruct(self) -> Any:
        return _as_django_s_own(super().deconstruct())

    def select_format(self, compiler: Any, sql: str, params: Any) -> Any:
        if params or compiler.connection.vendor != "sqlite" or _is_ordered_by(self, compiler.query):
            return sql, params
        return _ID.format(sql), params


class _WholeNumber:
    def deconstruct(self) -> Any:
        return _as_django_s_own(super().deconstruct())  # type: ignore[misc]

    null: bool

    def from_db_value(self, value: Any, *args: Any) -> int | None:
        if value is None or type(value) is int:
            return value
        number = _number(value, none=None if self.null else 0)
        return None if number is None else int(max(-LARGEST, min(number, LARGEST)))


class _SmallIntegerField(_WholeNumber, models.SmallIntegerField):  # type: ignore[type-arg]
    pass


class _IntegerField(_WholeNumber, models.IntegerField):  # type: ignore[type-arg]
    pass


class _BigIntegerField(_WholeNumber, models.BigIntegerField):  # type: ignore[type-arg]
    pass


class _FloatField(models.FloatField):  # type: ignore[type-arg]
    def deconstruct(self) -> Any:
        return _as_django_s_own(super().deconstruct())

    def from_db_value(self, value: Any, *args: Any) -> float | None:
        return (
            value
            if value is None or type(value) is float
            else _number(value, none=None if self.null else 0.0)
        )


class Text:
    """What fields of text share."""

    def from_db_value(self, value: Any, *args: Any) -> str | None:
        """Return the text; bytes that are none show as escapes."""
        if value is None or isinstance(value, str):
            return value
        return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


class _CharField(Text, models.CharField):  # type: ignore[type-arg]
    def deconstruct(self) -> Any:
        return _as_django_s_own(super().deconstruct())


class _TextField(Text, models.TextField):  # type: ignore[type-arg]
    def deconstruct(self) -> Any:
        return _as_django_s_own(super().deconstruct())


def _is_ordered_by(field: Any, query: Any) -> bool:
    """Return whether a query of values is ordered by a field, which then means by what it selects.

    By anything but the column itself the rows would be sorted, and not read along an index.
    """
    return bool(query.values_select) and field.name in {str(name).lstrip("-") for name in query.order_by}


def _as_django_s_own(deconstructed: Any) -> Any:
    """Say so to the migrations, which are about what is in the database."""
    name, path, *rest = deconstructed
    return name, f"django.db.models.{path.rpartition('._')[2]}", *rest


def _number(value: Any, *, none: Any) -> Any:
    """Return a finite number, or something in place of what is none."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return none
    return number if math.isfinite(number) else none


__all__ = [
    "BigIntegerField",
    "CharField",
    "DateTimeField",
    "FloatField",
    "IntegerField",
    "SmallIntegerField",
    "TextField",
    "UUIDField",
]

if TYPE_CHECKING:  # which knows Django's own by name
    from django.db.models import (
        BigIntegerField,
        CharField,
        DateTimeField,
        FloatField,
        IntegerField,
        SmallIntegerField,
        TextField,
        UUIDField,
    )
else:
    BigIntegerField, IntegerField, SmallIntegerField = _BigIntegerField, _IntegerField, _SmallIntegerField
    CharField, TextField, FloatField = _CharField, _TextField, _FloatField
    DateTimeField, UUIDField = _DateTimeField, _UUIDField
