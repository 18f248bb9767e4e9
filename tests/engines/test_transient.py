"""What the databases themselves say, and what is made of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.db import (
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
)

from django_jobs.engines.transient import Fault, fault_of, is_about_rows, is_conflict, is_transient
from tests.killing import kill


@pytest.mark.parametrize(
    "error", [OperationalError("server closed the connection"), InterfaceError("closed")]
)
def test_connections_that_end_without_a_number_pass(error: Error) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error", [DataError(), IntegrityError(), ProgrammingError(), ValueError(), OverflowError()]
)
def test_refused_values_are_about_the_rows(error: Exception) -> None:
    assert is_about_rows(error)


EXTENDED = BUSY_SNAPSHOT, IOERR_FSYNC = 5 | (2 << 8), 10 | (4 << 8)


def _raised_by(driver: str, code: str | int) -> Error:
    """Return an error as Django raises it."""
    cause: Any = Exception("text")
    if driver == "mysql":
        return OperationalError(code, "text")
    setattr(cause, driver, code)
    error = OperationalError("text")
    error.__cause__ = cause
    return error


def wrapped(code: str | int) -> Error:
    """Return an error of the vendor to whom such a number belongs."""
    if isinstance(code, str):
        return _raised_by("sqlstate", code)
    return _raised_by("mysql" if 1000 <= code < 10_000 and code not in EXTENDED else "sqlite_errorcode", code)


@pytest.mark.parametrize("code", ["40001", "40P01", 1213, 1020])
def test_a_conflict_may_be_repeated_at_once(code: str | int) -> None:
    assert is_conflict(wrapped(code))
    assert is_transient(wrapped(code))


POSTGRESQL = ["55P03", "57P01", "57P02", "57P03", "08006", "08P01", "25006", "53300", "53100"]
MYSQL = [1205, 2006, 2013, 1290, 2002, 2003, 1040]


@pytest.mark.parametrize("code", [*POSTGRESQL, *MYSQL, 5, 6, 10, 13, *EXTENDED])
def test_what_passes_may_be_tried_later_but_not_repeated_at_once(code: str | int) -> None:
    assert is_transient(wrapped(code))
    assert not is_conflict(wrapped(code))


@pytest.mark.parametrize("code", ["28P01", "3D000", "42P01", "42703", 1045, 1049, 1146, 1, 8, 14])
def test_what_a_person_must_mend_is_neither_transient_nor_the_fault_of_a_row(code: str | int) -> None:
    error = wrapped(code)
    assert fault_of(error) is Fault.SETUP
    assert not is_transient(error)
    assert not is_about_rows(error)


@pytest.mark.parametrize("code", ["54000", "22001", "42804", 1366, 3140, 18, 25])
def test_numbers_that_are_not_in_the_table_are_about_the_rows(code: str | int) -> None:
    assert is_about_rows(wrapped(code))


def test_mysqls_closed_connection_has_the_number_0_and_passes() -> None:
    assert is_transient(InterfaceError(0, ""))


def test_a_locked_sqlite_passes(tmp_path: Path) -> None:
    path = tmp_path / "locked.sqlite3"
    holder, other = (sqlite3.connect(path, timeout=0, isolation_level=None) for _ in range(2))
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as busy:
        other.execute("BEGIN IMMEDIATE")
    holder.close()
    other.close()
    error = OperationalError(str(busy.value))
    error.__cause__ = busy.value
    assert is_transient(error)


def _raised(sql: str) -> Error:
    with pytest.raises(Error) as caught, connection.cursor() as cursor:
        cursor.execute(sql)
    return caught.value


@pytest.mark.django_db(transaction=True)
class TestReal:
    """Errors of the very database the tests run on."""

    def test_a_missing_table_does_not_pass(self) -> None:
        assert not is_transient(_raised("SELECT * FROM nothing_of_the_sort"))

    def test_a_missing_column_does_not_pass(self) -> None:
        assert not is_transient(_raised("SELECT nothing_of_the_sort FROM django_jobs_job"))

    @pytest.mark.only_on("postgresql", "mariadb")
    def test_a_killed_connection_passes(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        kill(connection)
        error = _raised("SELECT 1")
        connection.close()
        assert is_transient(error)

    @pytest.mark.only_on("postgresql", "mariadb")
    def test_a_server_that_is_not_there_passes(self) -> None:
        away = connection.copy()
        away.settings_dict.update(HOST="127.0.0.1", PORT="1")
        with pytest.raises(Error) as caught:
            away.ensure_connection()
        assert is_transient(caught.value)

    @pytest.mark.only_on("mariadb")
    @pytest.mark.parametrize("entry", [{"USER": "nobody_of_the_sort"}, {"NAME": "nothing_of_the_sort"}])
    def test_a_wrong_entry_in_the_settings_does_not_pass(self, entry: dict[str, str]) -> None:
        away = connection.copy()
        away.settings_dict.update(entry)
        with pytest.raises(Error) as caught:
            away.ensure_connection()
        assert fault_of(caught.value) is Fault.SETUP

    @pytest.mark.only_on("sqlite")
    def test_a_file_that_may_not_be_written_does_not_pass(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = 1")
            error = _raised("UPDATE django_jobs_job SET reason = ''")
            cursor.execute("PRAGMA query_only = 0")
        assert fault_of(error) is Fault.SETUP
