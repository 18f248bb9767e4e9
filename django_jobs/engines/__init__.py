"""How jobs change in the database; the only room that writes job state or knows a vendor."""

from __future__ import annotations

from django.db import connections

from django_jobs.engines.base import Engine
from django_jobs.engines.mysql import MySQLEngine
from django_jobs.engines.postgresql import PostgreSQLEngine
from django_jobs.engines.sqlite import SQLiteEngine

_ENGINES: dict[str, type[Engine]] = {
    "sqlite": SQLiteEngine,
    "postgresql": PostgreSQLEngine,
    "mysql": MySQLEngine,
}


def engine_for(alias: str) -> Engine:
    """Return the engine for a database alias: the vendor's own, else the portable one."""
    return _ENGINES.get(connections[alias].vendor, Engine)(alias)


__all__ = ["Engine", "engine_for"]
