"""A fresh project and a worker to measure; each figure is one small script beside this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import databases

ROOT = Path(__file__).resolve().parent.parent
DATABASES = databases.NAMES


@contextmanager
def fresh_project(database: str = "sqlite") -> Iterator[None]:
    """Set Django up on an empty, migrated database, found as the tests find theirs; once a process."""
    os.environ |= {
        "BENCH_DATABASE": database,
        "DJANGO_SETTINGS_MODULE": "benchmarks.project.settings",
        "PYTHONPATH": str(ROOT),
    }
    import django
    from django.db import connection

    django.setup()
    before = connection.settings_dict["NAME"]
    # What workers connect to as well: their settings read the name from here.
    os.environ["TEST_DATABASE_NAME"] = str(connection.creation.create_test_db(verbosity=0, autoclobber=True))
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)
        connection.close()


@contextmanager
def copied_project() -> Iterator[tuple[str, str]]:
    """Copy the fresh project's database as it is; return the names of both, for `use_database`."""
    from django.db import connection

    original = str(connection.settings_dict["NAME"])
    connection.creation.clone_test_db(suffix="copy", verbosity=0, autoclobber=True)
    copy = str(connection.creation.get_test_db_clone_settings("copy")["NAME"])
    try:
        yield original, copy
    finally:
        use_database(copy)
        connection.creation.destroy_test_db(original, verbosity=0)
        use_database(original)


def use_database(name: str) -> None:
    """Have this process and the workers that it starts use the database of this name."""
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = os.environ["TEST_DATABASE_NAME"] = name


def start_worker(*options: str) -> subprocess.Popen[bytes]:
    """Start `runworker` in the fresh project, with its own log at WARNING."""
    command = [sys.executable, "-m", "django", "runworker", "--verbosity", "0", *options]
    return subprocess.Popen(command, cwd=ROOT)


@contextmanager
def serving(*options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker likewise; ask it to stop at the end, and wait until it has."""
    worker = start_worker(*options)
    try:
        yield worker
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()


def each_found(script: str, names: Iterable[str]) -> bool:
    """Run `python -m script` on each of these databases that is found; return whether all ended well.

    Each has a process of its own, as `fresh_project` wants it.
    """
    ended = [subprocess.run([sys.executable, "-m", script, name]) for name in databases.found(names)]
    return not any(each.returncode for each in ended)


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def machine() -> str:
    """Return what the figures were taken on, and what else was running there."""
    import django
    from django.db import connection

    return (
        f"{processors()}, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}, "
        f"Django {django.__version__}, "
        f"{connection.display_name} {'.'.join(map(str, connection.get_database_version()))}"
    )


def processors() -> str:
    """Return how many there are, and of what kind."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "unknown")
    return f"{os.cpu_count()} cores ({model})"
