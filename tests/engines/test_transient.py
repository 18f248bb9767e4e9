from __future__ import annotations

import sqlite3

import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, ProgrammingError

from django_jobs.engines.transient import is_transient


@pytest.mark.parametrize(
    "error", [OperationalError("server closed the connection"), InterfaceError("closed")]
)
def test_lost_connections_pass(error):
    assert is_transient(error)


@pytest.mark.parametrize(
    "error", [DataError(), IntegrityError(), ProgrammingError(), ValueError(), OverflowError()]
)
def test_refused_values_do_not(error):
    assert not is_transient(error)


def wrapped(error: sqlite3.Error) -> OperationalError:
    outer = OperationalError(str(error))
    outer.__cause__ = error
    return outer


def test_a_locked_sqlite_passes(tmp_path):
    path = tmp_path / "locked.sqlite3"
    holder, other = (sqlite3.connect(path, timeout=0, isolation_level=None) for _ in range(2))
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as busy:
        other.execute("BEGIN IMMEDIATE")
    holder.close()
    other.close()
    assert is_transient(wrapped(busy.value))


def test_a_missing_table_does_not_pass_though_sqlite_calls_it_operational():
    connection = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.OperationalError) as missing:
        connection.execute("SELECT * FROM nothing_of_the_sort")
    connection.close()
    assert not is_transient(wrapped(missing.value))
