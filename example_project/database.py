"""Which database the guide lives in: a file with nothing to install, or a server that is named."""

from __future__ import annotations

from difflib import get_close_matches
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


class UnknownDatabase(ImproperlyConfigured):
    """Neither a word for a database nor a URL of one; says what would be."""

    def __init__(self, given: str) -> None:
        # Of a URL the scheme alone: the rest holds a password, which is nothing for a screen.
        word = given.partition("://")[0]
        near = get_close_matches(word, ["sqlite", *USUAL, *ENGINES], n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else ""
        known = f"sqlite, postgresql, mariadb or a URL like {USUAL['postgresql']}"
        super().__init__(f"The guide runs on {known}, not on {word}.{hint}")


def database(given: str, *, home: Path) -> dict[str, Any]:
    """Return the entry of `DATABASES` for "sqlite", "postgresql", "mariadb" or the URL of a server.

    Raises:
        UnknownDatabase: it is none of these.
    """
    if given in ("", "sqlite"):
        return _sqlite(home)
    parts = urlsplit(USUAL.get(given, given))
    if parts.scheme not in ENGINES:
        raise UnknownDatabase(given)
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
