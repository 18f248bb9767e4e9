"""The airport guide's demo as a process, in a home and on a database of its own."""

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
from tests.servers import Rows, Server

PATIENCE = 60
NAME = "airport_guide"


class Guide:
    """A home for one guide, and the demo run in it."""

    def __init__(self, home: Path, server: Server | None = None) -> None:
        self.home = home
        self.server = server
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *options: str) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "AIRPORT_GUIDE_HOME": str(self.home),
            "AIRPORT_GUIDE_DATABASE": self.server.url(NAME) if self.server else "sqlite",
            "COLUMNS": "120",
        }
        command = [sys.executable, str(PROJECT.parent / "manage.py"), "demo", "--timeout", "100", *options]
        demo = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._started.append(demo)
        return demo

    def run(self) -> str:
        return self.finish(self.start())

    def finish(self, demo: subprocess.Popen[str]) -> str:
        output, _ = demo.communicate()
        assert demo.returncode == 0, f"{output}\n{(self.home / 'demo-worker.log').read_text()}"
        return output

    def end(self) -> None:
        """Kill a demo that its test has left; the kernel then ends its workers."""
        for demo in self._started:
            if demo.returncode is None:
                demo.kill()
                demo.communicate()

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
        assert self.count("django_jobs_job WHERE status NOT IN ('completed', 'dead')") == 0
        assert self.count("django_jobs_job WHERE status = 'dead'") == 4


def wait_until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
