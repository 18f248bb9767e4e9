"""A fresh project and a worker to measure; each figure is one small script beside this one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def fresh_project() -> Iterator[None]:
    """Set Django up on an empty, migrated SQLite database in a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="django_jobs_bench_") as home:
        os.environ |= {
            "BENCH_HOME": home,
            "DJANGO_SETTINGS_MODULE": "benchmarks.project.settings",
            "PYTHONPATH": str(ROOT),
        }
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        yield
        connections.close_all()


def start_worker(*options: str) -> subprocess.Popen[bytes]:
    """Start `runworker` in the fresh project, with its own log at WARNING."""
    command = [sys.executable, "-m", "django", "runworker", "--verbosity", "0", *options]
    return subprocess.Popen(command, cwd=ROOT)


def machine() -> str:
    """Return what the figures were taken on."""
    import sqlite3

    import django

    model = next(
        (line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ""
    )
    return (
        f"{os.cpu_count()} cores ({model.partition(':')[2].strip() or 'unknown'}), "
        f"Python {sys.version.split()[0]}, Django {django.__version__}, SQLite {sqlite3.sqlite_version}"
    )
