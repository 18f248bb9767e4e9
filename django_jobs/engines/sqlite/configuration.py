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
    if connection.is_in_memory_db():
        return [] if _is_made_by_test_runner(connection) else [_unseen(connection.alias)]
    return [] if _lets_writers_wait(connection.settings_dict["OPTIONS"]) else [_busy(connection.alias)]


def _is_made_by_test_runner(connection: DatabaseWrapper) -> bool:
    # `manage.py test` puts this name in place of a file's before it runs the checks.
    made = f"file:memorydb_{connection.alias}?mode=memory&cache=shared"
    return str(connection.settings_dict["NAME"]) == made


def _lets_writers_wait(options: dict[str, Any]) -> bool:
    commands = str(options.get("init_command", "")).replace(" ", "").lower()
    immediate = str(options.get("transaction_mode", "")).upper() == "IMMEDIATE"
    return immediate and "journal_mode=wal" in commands


def _unseen(alias: str) -> Warning:
    return Warning(
        f"SQLite database {alias!r} is kept in memory, where no worker sees its jobs",
        hint=f'Give DATABASES[{alias!r}] a file: "NAME": BASE_DIR / "db.sqlite3"',
        id="django_jobs.W002",
    )


def _busy(alias: str) -> Warning:
    return Warning(
        f"SQLite database {alias!r} is not configured for several writers: a transaction of yours that reads "
        "before it writes can fail with 'database is locked' while a worker writes",
        hint=f"Give DATABASES[{alias!r}] {OPTIONS}",
        id="django_jobs.W001",
    )
