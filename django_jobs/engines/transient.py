"""Which database errors pass by themselves, and which come back however often one tries."""

from __future__ import annotations

import sqlite3

from django.db import InterfaceError, OperationalError


def is_transient(error: BaseException) -> bool:
    """Return whether trying again later may succeed: locks, deadlocks, lost connections, full disks."""
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    # SQLite calls a missing table "operational" too; its generic code 1 is about the SQL itself.
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return code is None or code & 0xFF != sqlite3.SQLITE_ERROR
