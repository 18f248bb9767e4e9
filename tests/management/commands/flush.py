"""`flush` for the tests, which empty the tables after each one that commits: quickly if few rows are there.

Django's own truncates every table, which PostgreSQL takes a tenth of a second for, and then stores all
content types and permissions anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from django.core.management.commands import flush
from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

# More rows than this are truncated: what is only deleted stays in the way of the tests to come.
FEW = 300
# What migrating has stored is left there as long as it is all there, and nothing else.
STORED_BY_MIGRATING = ("auth_permission", "django_content_type")


class Command(flush.Command):
    """Delete the rows of the few tables that have any, or do as Django does."""

    # Of each database: the tables, and what was in those that are not emptied.
    _known: ClassVar[dict[str, tuple[list[str], dict[str, int]]]] = {}

    def handle(self, **options: Any) -> None:
        """Empty the tables, whichever way."""
        connection = connections[options["database"]]
        name = str(connection.settings_dict["NAME"])
        if self._is_emptied(connection, name):
            return
        super().handle(**options)
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        counts = _count(connection, STORED_BY_MIGRATING)
        self._known[name] = (sorted(tables), {table: counts.get(table, 0) for table in STORED_BY_MIGRATING})

    def _is_emptied(self, connection: BaseDatabaseWrapper, name: str) -> bool:
        """Return whether it was done: not before the tables are known, nor where too much is there."""
        tables, stored = self._known.get(name, ([], {}))
        if not tables:
            return False
        try:
            with connection.constraint_checks_disabled(), _after_others(connection, tables):
                return _empty(connection, tables, stored)
        except DatabaseError:  # a test has left fewer tables than there were
            return False


@contextmanager
def _after_others(connection: BaseDatabaseWrapper, tables: Sequence[str]) -> Iterator[None]:
    """Begin when nobody's writing is under way: what a killed process had asked for may still be at work."""
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:  # looking waits for locks then
            cursor.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
    with transaction.atomic(connection.alias):
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                names = ", ".join(map(connection.ops.quote_name, tables))
                cursor.execute(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")
        yield


def _empty(connection: BaseDatabaseWrapper, tables: Sequence[str], stored: dict[str, int]) -> bool:
    counts = _count(connection, tables)
    if {table: counts.pop(table, 0) for table in STORED_BY_MIGRATING} != stored or sum(counts.values()) > FEW:
        return False
    with connection.cursor() as cursor:
        for table in counts:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
    return True


def _count(connection: BaseDatabaseWrapper, tables: Sequence[str]) -> dict[str, int]:
    """Return the number of rows of those of these tables that have any, counting no further than needed."""
    quote = connection.ops.quote_name
    counts = " UNION ALL ".join(
        f"SELECT '{table}', count(*) FROM (SELECT 1 AS one FROM {quote(table)} LIMIT {FEW + 1}) AS few"
        for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(counts)
        return {table: count for table, count in cursor.fetchall() if count}
