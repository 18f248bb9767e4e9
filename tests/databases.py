"""Find the databases the tests can run on; knows nothing of Django, so that looking is quick."""

from __future__ import annotations

import atexit
import getpass
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

NAMES = ("sqlite", "postgresql", "mariadb")
PROBE_SECONDS = 0.2
MARIADB_SOCKETS = ("/run/mysqld/mysqld.sock", "/tmp/mysql.sock", "/var/lib/mysql/mysql.sock")

Config = dict[str, Any]


class Missing(Exception):
    """A database was not found; says where it was looked for."""


def find(name: str) -> Config:
    """Return the entry of `settings.DATABASES` for one of NAMES; raise Missing when it is not there."""
    return {"sqlite": _sqlite, "postgresql": _postgresql, "mariadb": _mariadb}[name]()


def found(names: Iterable[str] = NAMES) -> list[str]:
    """Return which of these are here; print of each other where it was looked for."""
    here = []
    for name in names:
        try:
            find(name)
        except Missing as missing:
            print(f"{name} is left out: {missing}", flush=True)
        else:
            here.append(name)
    return here


def _sqlite() -> Config:
    # A file and never ":memory:": threads and processes share it.
    given = os.environ.get("TEST_DATABASE_NAME")
    directory = Path(given).parent if given else _temporary_directory()
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": given or str(directory / "django_jobs.sqlite3"),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        "TEST": {"NAME": str(directory / "test_django_jobs.sqlite3")},
    }


def _temporary_directory() -> Path:
    """Return this test run's directory; xdist's workers inherit it, and their parent removes it."""
    inherited = os.environ.get("TEST_DATABASE_DIRECTORY")
    if inherited and Path(inherited).is_dir():
        return Path(inherited)
    directory = os.environ["TEST_DATABASE_DIRECTORY"] = tempfile.mkdtemp(prefix="django_jobs_")
    atexit.register(_remove, directory, os.getpid())
    return Path(directory)


def _remove(directory: str, owner: int) -> None:
    if os.getpid() == owner:  # not in a child that was forked meanwhile
        shutil.rmtree(directory, ignore_errors=True)


def _postgresql() -> Config:
    url = os.environ.get("DATABASE_URL_POSTGRESQL")
    candidates = [_from_url(url)] if url else list(_usual_postgresql())
    return _first(candidates, "DATABASE_URL_POSTGRESQL", _connect_postgresql)


def _usual_postgresql() -> Iterator[Config]:
    tcp = {"HOST": "127.0.0.1", "PORT": "5432"}
    yield {**tcp, "USER": "postgres", "PASSWORD": os.environ.get("PGPASSWORD", "")}
    yield {**tcp, "USER": "postgres", "PASSWORD": "postgres"}
    yield {"HOST": "/var/run/postgresql", "PORT": "5432", "USER": getpass.getuser(), "PASSWORD": ""}


def _connect_postgresql(config: Config) -> None:
    host, port = config["HOST"], int(config["PORT"] or 5432)
    _probe(f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port))
    import psycopg

    psycopg.connect(
        host=host,
        port=port,
        user=config["USER"],
        password=config["PASSWORD"],
        dbname="postgres",
        connect_timeout=2,
    ).close()
    config.update(ENGINE="django.db.backends.postgresql")


def _mariadb() -> Config:
    url = os.environ.get("DATABASE_URL_MARIADB")
    candidates = [_from_url(url)] if url else list(_usual_mariadb())
    return _first(candidates, "DATABASE_URL_MARIADB", _connect_mariadb)


def _usual_mariadb() -> Iterator[Config]:
    for path in MARIADB_SOCKETS:
        yield {"HOST": path, "PORT": "", "USER": "root", "PASSWORD": ""}
    yield {"HOST": "127.0.0.1", "PORT": "3306", "USER": "root", "PASSWORD": ""}


def _connect_mariadb(config: Config) -> None:
    host, port = config["HOST"], int(config["PORT"] or 3306)
    _probe(host if host.startswith("/") else (host, port))
    import pymysql  # type: ignore[import-untyped]

    place = {"unix_socket": host} if host.startswith("/") else {"host": host, "port": port}
    pymysql.connect(**place, user=config["USER"], password=config["PASSWORD"], connect_timeout=1).close()
    pymysql.install_as_MySQLdb()
    config.update(ENGINE="django.db.backends.mysql")


def _probe(address: str | tuple[str, int]) -> None:
    """Knock with a short patience; the drivers' own is counted in whole seconds."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as knock:
        knock.settimeout(PROBE_SECONDS)
        knock.connect(address)


def _from_url(url: str) -> Config:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return {
        "HOST": query.get("host") or query.get("unix_socket") or parts.hostname or "127.0.0.1",
        "PORT": str(parts.port or ""),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
    }


def _first(candidates: list[Config], variable: str, connect: Callable[[Config], None]) -> Config:
    reasons = []
    for config in candidates:
        try:
            connect(config)
        except Exception as error:  # a driver that is not installed is a reason like any other
            reasons.append(f"{config['USER']}@{config['HOST']}: {str(error).strip() or type(error).__name__}")
        else:
            return {**config, **_names()}
    raise Missing(f"{'; '.join(reasons)} (set {variable} to point to one)")


def _names() -> Config:
    # Two test runs on one server must not share a database; xdist's workers inherit the first one's mark.
    run = os.environ.setdefault("TEST_DATABASE_RUN", str(os.getpid()))
    name = os.environ.get("TEST_DATABASE_NAME", "django_jobs")
    return {"NAME": name, "TEST": {"NAME": f"test_django_jobs_{run}"}}
