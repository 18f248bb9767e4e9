"""Whether the project configures PostgreSQL so that Django can connect at all."""

from __future__ import annotations

from django.core.checks import CheckMessage, Error
from django.db.backends.base.base import BaseDatabaseWrapper


def check(connection: BaseDatabaseWrapper) -> list[CheckMessage]:
    """Return what is wrong, for `manage.py check`."""
    settings = connection.settings_dict
    if not settings["OPTIONS"].get("pool") or settings["CONN_MAX_AGE"] == 0:
        return []
    message = (
        f"Database {connection.alias!r} has a connection pool and CONN_MAX_AGE, and Django refuses every "
        "connection that has both"
    )
    hint = f'Give DATABASES[{connection.alias!r}] "CONN_MAX_AGE": 0. A worker keeps its connections anyway.'
    return [Error(message, hint=hint, id="django_jobs.E006")]
