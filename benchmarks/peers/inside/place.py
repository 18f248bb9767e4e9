"""Where a peer is measured, read from the environment that `places.py` made; only the standard library."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

DATABASE = os.environ.get("BENCH_DATABASE", "sqlite")
SETTING = os.environ.get("BENCH_SETTING", "doc")
DIRECTORY = Path(os.environ.get("BENCH_DIRECTORY", "."))
SQLITE = str(DIRECTORY / "jobs.sqlite3")


def best() -> bool:
    """Return whether the fastest setting that was found is measured, and not the documented one."""
    return SETTING == "best"


def url(scheme: str = "postgresql") -> str:
    """Return the PostgreSQL database's address."""
    part = {name: quote(os.environ[f"PG{name}"], safe="") for name in ("USER", "PASSWORD", "HOST", "PORT")}
    login = ":".join(filter(None, (part["USER"], part["PASSWORD"])))
    return f"{scheme}://{login}@{part['HOST']}:{part['PORT']}/{os.environ['PGDATABASE']}"


def counter(query: str) -> Callable[[], int]:
    """Return a function that asks for one number on a connection of its own."""
    if DATABASE == "sqlite":
        import sqlite3

        lite = sqlite3.connect(SQLITE, timeout=20, isolation_level=None)
        return lambda: int(lite.execute(query).fetchone()[0])
    import psycopg

    server = psycopg.connect(url(), autocommit=True)
    return lambda: int(server.execute(query).fetchone()[0])
