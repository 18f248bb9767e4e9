"""Which database the guide lives in: a file with nothing to install, or a server that is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# Where these servers are after an installation that changed nothing.
USUAL = {
    "postgresql": "postgresql://postgres:postgres@127.0.0.1:5432/airport_guide",
    "mariadb": "mysql://root@localhost/airport_guide?unix_socket=/run/mysqld/mysqld.sock",
}
ENGINES = {
    "postgresql": "django.db.backends.postgresql",
    "mysql": "django.db.backends.mysql",
}


def database(given: str, *, home: Path) -> dict[str, Any]:
    """Return the entry of `DATABASES` for "sqlite", "postgresql", "mariadb" or the URL of a server."""
    if given in ("", "sqlite"):
        return _sqlite(home)
    parts = urlsplit(USUAL.get(given, given))
    if parts.scheme not in ENGINES:
        raise ImproperlyConfigured(
            f"The guide runs on sqlite, postgresql, mariadb or a URL like {USUAL['postgresql']}, not {given}"
        )
    if parts.scheme == "mysql":
        _use_pymysql()
    return {
        "ENGINE": ENGINES[parts.scheme],
        "NAME": parts.path.strip("/") or "airport_guide",
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def _sqlite(home: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": home / "airport_guide.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def _use_pymysql() -> None:
    # mysqlclient is what Django names first, and needs a compiler; this one installs everywhere.
    import pymysql  # type: ignore[import-untyped]

    pymysql.install_as_MySQLdb()
