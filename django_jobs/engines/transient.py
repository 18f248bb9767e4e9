"""Which database errors pass by themselves, which need a person, and which are about the rows.

By the vendors' codes alone: their texts change with the version and the server's language.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from django.db import Error, InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper


class Fault(Enum):
    """What is wrong with the database, when it is not the rows that were sent."""

    CONFLICT = auto()  # another transaction was in the way, ours is rolled back: the same again may succeed
    PASSING = auto()  # away, locked, full, read-only for now: later may succeed
    SETUP = auto()  # until a person mends it, no try will succeed


class Code(NamedTuple):
    """An error by its vendor's number; PostgreSQL's have letters in them."""

    vendor: str
    code: str | int


CONFLICT, PASSING, SETUP = Fault
_POSTGRESQL: dict[str | int, Fault] = {
    "40001": CONFLICT,  # serialization failure
    "40P01": CONFLICT,  # deadlock
    "55P03": PASSING,  # lock not available
    "57014": PASSING,  # statement timeout
    "57P01": PASSING,  # shut down by an administrator
    "57P02": PASSING,  # shut down by a crash
    "57P03": PASSING,  # not up yet
    "57P05": PASSING,  # idle for too long
    "25P03": PASSING,  # idle in a transaction for too long
    "25006": PASSING,  # read-only: a standby that has not taken over yet
    "08": PASSING,  # the class of lost connections
    "53": PASSING,  # the class of what ran out: disk, memory, connections
    "58": PASSING,  # the class of the operating system's errors
    "28": SETUP,  # the class of refused users
    "3D000": SETUP,  # no such database
    "3F000": SETUP,  # no such schema
    "42P01": SETUP,  # no such table
    "42703": SETUP,  # no such column
    "42501": SETUP,  # not permitted
}
_MYSQL: dict[str | int, Fault] = {
    1213: CONFLICT,  # deadlock
    1020: CONFLICT,  # changed since the snapshot was taken
    1205: PASSING,  # waited too long for a lock
    1021: PASSING,  # disk full
    1114: PASSING,  # the same, as InnoDB says it
    1040: PASSING,  # too many connections
    1203: PASSING,  # too many of this user
    1053: PASSING,  # shutting down
    1158: PASSING,  # the network, read
    1159: PASSING,  # the network, read too slowly
    1160: PASSING,  # the network, written
    1161: PASSING,  # the network, written too slowly
    1290: PASSING,  # read-only by an option: a replica that has not taken over yet
    1792: PASSING,  # a transaction that is read-only, for the same reason
    1836: PASSING,  # read-only mode
    1317: PASSING,  # interrupted
    1927: PASSING,  # the connection was killed
    1969: PASSING,  # statement timeout of MariaDB
    3024: PASSING,  # statement timeout of MySQL
    4031: PASSING,  # idle for too long
    2002: PASSING,  # no socket
    2003: PASSING,  # connection refused
    2006: PASSING,  # gone away
    2013: PASSING,  # lost while a statement ran
    2055: PASSING,  # lost, with the system's error
    1044: SETUP,  # no right to this database
    1045: SETUP,  # wrong password
    1698: SETUP,  # wrong user
    1130: SETUP,  # this host may not connect
    1049: SETUP,  # no such database
    1054: SETUP,  # no such column
    1142: SETUP,  # not permitted
    1146: SETUP,  # no such table
}
_SQLITE: dict[str | int, Fault] = {
    5: PASSING,  # BUSY
    6: PASSING,  # LOCKED
    7: PASSING,  # NOMEM
    9: PASSING,  # INTERRUPT
    10: PASSING,  # IOERR
    13: PASSING,  # FULL
    15: PASSING,  # PROTOCOL: a race for the locks
    1: SETUP,  # ERROR: no such table or column; what is wrong with values has other numbers
    3: SETUP,  # PERM
    8: SETUP,  # READONLY
    11: SETUP,  # CORRUPT
    14: SETUP,  # CANTOPEN
    26: SETUP,  # NOTADB
}
_TABLES = {"postgresql": _POSTGRESQL, "mysql": _MYSQL, "sqlite": _SQLITE}


def fault_of(error: BaseException) -> Fault | None:
    """Return what is wrong with the database; None when it is the rows, or no fault of a database."""
    if not isinstance(error, Error):
        return None
    if code := code_of(error):
        table = _TABLES[code.vendor]
        if found := table.get(code.code) or table.get(str(code.code)[:2]):
            return found
        # What has another number was said about a statement, by a database that answers.
        return PASSING if isinstance(error, InterfaceError) else None
    # A server that was not reached gave no number, and a driver has none for its own closed connection.
    return PASSING if isinstance(error, OperationalError | InterfaceError) else None


def is_conflict(error: BaseException) -> bool:
    """Return whether others were in the way and all of the transaction is undone: repeat it at once."""
    return fault_of(error) is CONFLICT


def is_transient(error: BaseException) -> bool:
    """Return whether trying again later may succeed: locks, deadlocks, lost connections, full disks."""
    return fault_of(error) in (CONFLICT, PASSING)


def is_about_rows(error: BaseException) -> bool:
    """Return whether the database, or its driver, would take other rows than these."""
    return fault_of(error) is None


def undid_only_rows(error: BaseException, connection: BaseDatabaseWrapper) -> bool:
    """Return whether an error in a savepoint was about its rows, and the transaction around it goes on.

    Where the savepoint is gone as well all is undone, and Django, told nothing, would end it without a word.
    """
    return is_about_rows(error) and not connection.needs_rollback


def code_of(error: Error) -> Code | None:
    """Return the vendor's own number of an error, None when it has none."""
    # The MySQL drivers put it before the text; some know the SQL standard's state too, which says less.
    if error.args and isinstance(error.args[0], int):
        return Code("mysql", error.args[0])
    driver = error.__cause__
    if (number := getattr(driver, "sqlite_errorcode", None)) is not None:
        return Code("sqlite", number & 0xFF)  # the rest is the extended code
    if state := getattr(driver, "sqlstate", None) or getattr(driver, "pgcode", None):  # psycopg 3, 2
        return Code("postgresql", state)
    return None
