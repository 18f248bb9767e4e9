"""A fresh, empty database and a directory for one visit to a peer; nothing of either is left behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from tests import databases

DATABASES = ("sqlite", "postgresql")


@contextmanager
def fresh_place(database: str) -> Iterator[dict[str, str]]:
    """Make both; yield the environment that leads to them, as `inside/place.py` reads it."""
    with tempfile.TemporaryDirectory(prefix="peers_") as directory:
        here = {"BENCH_DATABASE": database, "BENCH_DIRECTORY": directory}
        if database == "sqlite":
            yield here
        else:
            with _fresh_postgresql() as found:
                yield {**here, **found}


@contextmanager
def _fresh_postgresql() -> Iterator[dict[str, str]]:
    import psycopg

    server = databases.find("postgresql")
    variables = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    found = {variable: str(server[key]) for variable, key in variables.items()}
    name = f"peers_{os.getpid()}"
    with psycopg.connect(
        host=found["PGHOST"],
        port=found["PGPORT"],
        user=found["PGUSER"],
        password=found["PGPASSWORD"],
        dbname="postgres",
        autocommit=True,
    ) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield {**found, "PGDATABASE": name}
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
