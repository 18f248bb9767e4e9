"""What only a person can mend about the queue's database: said at once and in one sentence."""

from __future__ import annotations

from django.db import DEFAULT_DB_ALIAS, Error, connections

from django_jobs.models import Job


def obstacle(alias: str) -> str | None:
    """Return why no worker can serve this database, or None.

    A database that gives no answer is no obstacle: it may come back, and a worker waits for it.
    """
    name = connections[alias].settings_dict["NAME"]
    if _in_memory(name):
        return (
            f"database {alias!r} is kept in memory ({name}), where no other process sees "
            "its jobs: give DATABASES a file"
        )
    return _missing_table(alias)


def _in_memory(name: object) -> bool:
    # What Django itself goes by.
    return isinstance(name, str) and (name == ":memory:" or "mode=memory" in name)


def _missing_table(alias: str) -> str | None:
    table = Job._meta.db_table
    try:
        if table in connections[alias].introspection.table_names():
            return None
    except Error:
        return None
    option = "" if alias == DEFAULT_DB_ALIAS else f" --database {alias}"
    return f"database {alias!r} has no table {table}: run `manage.py migrate{option}` first"
