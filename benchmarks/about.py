"""What figures were taken on: the machine, the code, and each database as it answers itself.

`python -m benchmarks.about [database]` prints what a database says of its version and of its durability, as
JSON: a promise of the settings file would not do, because what a figure is worth depends on it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bench import DATABASES, ROOT, fresh_project, processors

_SYNCHRONOUS = ("OFF", "NORMAL", "FULL", "EXTRA")
_ASKED = {
    "postgresql": ("SHOW fsync", "SHOW synchronous_commit", "SHOW full_page_writes"),
    "mysql": ("SELECT @@innodb_flush_log_at_trx_commit", "SELECT @@log_bin", "SELECT @@sync_binlog"),
    "sqlite": ("PRAGMA journal_mode", "PRAGMA synchronous"),
}


def machine() -> dict[str, str]:
    """Return what is the same for every database."""
    import django

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "day": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processors": processors(),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Django": django.__version__,
        "commit": _commit(),
    }


def _commit() -> str:
    """Return the commit, and whether the code was changed since."""
    told = [_git("rev-parse", "--short", "HEAD") or "unknown"]
    return " ".join([*told, "with changes"] if _git("status", "--porcelain", "django_jobs") else told)


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()


def database() -> dict[str, str]:
    """Return what the database of this project says of itself."""
    from django.db import connection

    driver = connection.Database
    version = ".".join(map(str, connection.get_database_version()))
    return {
        "version": f"{connection.display_name} {version}",
        "driver": f"{driver.__name__.partition('.')[0]} {getattr(driver, '__version__', '')}".strip(),
        "durability": ", ".join(_answer(sql) for sql in _ASKED[connection.vendor]),
        "disk": _disk(Path(str(connection.settings_dict["NAME"]))),
    }


def _answer(sql: str) -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        (value,) = cursor.fetchone()
    name = sql.rpartition(" ")[2].lstrip("@")
    return f"{name}={_SYNCHRONOUS[value] if name == 'synchronous' else value}"


def _disk(file: Path) -> str:
    """Return the file system of a database that is a file; of a server's nothing is known here."""
    if not file.is_absolute():
        return ""
    told = subprocess.run(["stat", "-f", "-c", "%T", file.parent], capture_output=True, text=True)
    return told.stdout.strip()


def main() -> None:
    """Print what one database says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES, default="sqlite")
    with fresh_project(parser.parse_args().database):
        print(json.dumps(database()))


if __name__ == "__main__":
    main()
