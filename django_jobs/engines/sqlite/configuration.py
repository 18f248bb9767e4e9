"""Whether the project configures SQLite so that several processes can write."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db.backends.sqlite3.base import DatabaseWrapper

OLDEST = (3, 35)  # the first with RETURNING
OPTIONS = (
    'OPTIONS={"transaction_mode": "IMMEDIATE", "timeout": 20, '
    '"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"}'
)


def check(connection: DatabaseWrapper, version: tuple[int, ...]) -> list[CheckMessage]:
    """Return what is wrong, for `manage.py check`."""
    if version < OLDEST:
        found = ".".join(map(str, version))
        return [Error(f"django_jobs needs SQLite 3.35 or later, this is {found}", id="django_jobs.E004")]
    # No other process can ever see a database in memory.
    if connection.is_in_memory_db() or _lets_writers_wait(connection.settings_dict["OPTIONS"]):
        return []
    return [_busy(connection.alias)]


def _lets_writers_wait(options: dict[str, Any]) -> bool:
    commands = str(options.get("init_command", "")).replace(" ", "").lower()
    immediate = str(options.get("transaction_mode", "")).upper() == "IMMEDIATE"
    return immediate and "journal_mode=wal" in commands


def _busy(alias: str) -> Warning:
    return Warning(
        f"SQLite database {alias!r} is not configured for several writers: a transaction of yours that reads "
        "before it writes can fail with 'database is locked' while a worker writes",
        hint=f"Give DATABASES[{alias!r}] {OPTIONS}",
        id="django_jobs.W001",
    )
