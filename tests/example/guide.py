"""The airport guide as a process, in a home and on a database of its own."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from example_project.airports.reading import count_rows
from example_project.settings import PROJECT
from tests.processes.conftest import children
from tests.servers import Rows, Server

PATIENCE = 60
NAME = "airport_guide"
# A truncated photograph and a bomb in three sizes, a file in the wrong encoding, two countries' weather.
DEAD = 3 + 3 + 1 + 2
# What becomes of the jobs that share a process with one that hangs.
CROWD = [("sleep", "dead", 1), *[("work_beside", "completed", 1)] * 7]
# What becomes of the jobs that hang.
HUNG = {
    "sleep": "dead",
    "spin": "dead",
    "count_in_c": "dead",
    "wait_for_a_deaf_program": "dead",
    "await_long": "dead",
    "wait_ten_minutes": "cancelled",
}


class Guide:
    """A home for one guide, and the commands run in it."""

    def __init__(self, home: Path, server: Server | None = None) -> None:
        self.home = home
        self.server = server
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start the demo."""
        return self.manage("demo", "--timeout", "100", *options)

    def manage(self, *words: str) -> subprocess.Popen[str]:
        """Start a command of the guide."""
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "AIRPORT_GUIDE_HOME": str(self.home),
            "AIRPORT_GUIDE_DATABASE": self.server.url(NAME) if self.server else "sqlite",
            "COLUMNS": "120",
        }
        command = [sys.executable, str(PROJECT.parent / "manage.py"), *words]
        started = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._started.append(started)
        return started

    def run(self) -> str:
        return self.finish(self.start())

    def finish(self, demo: subprocess.Popen[str]) -> str:
        output, _ = demo.communicate()
        assert demo.returncode == 0, f"{output}\n{(self.home / 'demo-worker.log').read_text()}"
        return output

    def end(self) -> None:
        """Kill what its test has left; the kernel then ends the processes of it."""
        for started in self._started:
            if started.returncode is None:
                started.kill()
                started.communicate()

    def rows(self, query: str) -> Rows:
        if self.server:
            return self.server.rows(query, database=NAME)
        with closing(sqlite3.connect(self.file, timeout=20)) as connection:
            return connection.execute(query).fetchall()

    @property
    def file(self) -> Path:
        return self.home / "airport_guide.sqlite3"

    def count(self, query: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {query}")[0][0])

    def imported(self) -> int:
        try:
            return self.count("airports_import")
        except Exception:  # the tables are not there yet, or their server; each driver has its own for that
            return 0

    def in_the_middle(self) -> bool:
        return self.imported() >= 3

    def go_on(self) -> None:
        """Wait until one more batch is there."""
        before = self.count("airports_import")
        wait_until(lambda: self.imported() > before)

    def assert_nothing_lost(self) -> None:
        total = count_rows("airportsdata")
        batches = "(SELECT DISTINCT source, first_row FROM airports_import) AS batches"
        assert self.count("airports_airport") == total + 4
        assert self.count(batches) == self.count("airports_import")
        assert self.rows(
            "SELECT sum(airports_import.rows) FROM airports_import WHERE source = 'airportsdata'"
        ) == [(total,)]
        assert self.count("weather_observation") == 9
        work = "django_jobs_job WHERE queue NOT IN ('hanging', 'crowd')"
        assert self.count(f"{work} AND status NOT IN ('completed', 'dead')") == 0
        assert self.count(f"{work} AND status = 'dead'") == DEAD

    def crowd(self) -> list[tuple[str, str, int]]:
        """Return function, status and charged attempts of the jobs that shared a process."""
        rows = self.rows("SELECT function, status, attempts FROM django_jobs_job WHERE queue = 'crowd'")
        return sorted((str(name).rpartition(".")[2], str(status), int(runs)) for name, status, runs in rows)

    def hung(self) -> dict[str, str]:
        """Return the status of each job that hung, by the last word of its function."""
        rows = self.rows("SELECT function, status FROM django_jobs_job WHERE queue = 'hanging'")
        return {str(function).rpartition(".")[2]: str(status) for function, status in rows}


def wait_until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def family(pid: int) -> list[int]:
    return [pid, *(each for child in children(pid) for each in family(child))]
