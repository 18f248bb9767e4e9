"""`manage.py demo` as a person runs it: to the end, and killed in the middle."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from example_project.airports.reading import count_rows
from example_project.settings import PROJECT

pytestmark = pytest.mark.timeout(150)
PATIENCE = 60


class Guide:
    """A home for one guide, and the demo run in it."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def start(self) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "AIRPORT_GUIDE_HOME": str(self.home),
            "AIRPORT_GUIDE_DATABASE": "sqlite",
            "COLUMNS": "120",
        }
        command = [sys.executable, str(PROJECT.parent / "manage.py"), "demo", "--timeout", "100"]
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self) -> str:
        return self.finish(self.start())

    def finish(self, demo: subprocess.Popen[str]) -> str:
        output, _ = demo.communicate()
        assert demo.returncode == 0, output
        return output

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.home / "airport_guide.sqlite3", timeout=20)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def count(self, query: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {query}")[0][0])

    def in_the_middle(self) -> bool:
        try:
            return self.count("airports_import") >= 3
        except sqlite3.OperationalError:  # the tables are not there yet
            return False

    def assert_nothing_lost(self) -> None:
        total = count_rows("airportsdata")
        assert self.count("airports_airport") == total + 4
        assert self.count("(SELECT DISTINCT source, first_row FROM airports_import)") == self.count(
            "airports_import"
        )
        assert self.rows("SELECT sum(rows) FROM airports_import WHERE source = 'airportsdata'") == [(total,)]
        assert self.count("django_jobs_job WHERE status NOT IN ('completed', 'dead')") == 0
        assert self.count("django_jobs_job WHERE status = 'dead'") == 4


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Guide, str]:
    """A guide whose demo has run to its end once, and what it said."""
    guide = Guide(tmp_path_factory.mktemp("guide"))
    return guide, guide.run()


def wait_until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def family(pid: int) -> list[int]:
    return [pid, *(each for child in children(pid) for each in family(child))]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def line_of(function: str, output: str) -> list[str]:
    (line,) = re.findall(rf"{function}\W+(\d+)\W+(\d+)\W+(\d+)", output)
    return list(line)


def test_the_demo_ends_with_a_summary_by_function(finished: tuple[Guide, str]) -> None:
    guide, output = finished
    guide.assert_nothing_lost()
    batches = guide.count("airports_import")
    assert line_of("import_airports", output) == [str(batches), "0", "1"]
    assert line_of("make_thumbnail", output) == ["18", "3", "3"]
    assert line_of("make_contact_sheet", output) == ["1", "1", "0"]
    assert "createsuperuser" in output


def test_after_a_finished_run_the_demo_starts_a_fresh_one(finished: tuple[Guide, str]) -> None:
    guide, _ = finished
    assert "fresh run" in guide.run()
    assert guide.count("airports_demorun") == 2
    assert guide.count("airports_airport") == count_rows("airportsdata") + 4


def test_a_demo_that_was_killed_is_continued_and_leaves_no_worker_behind(tmp_path: Path) -> None:
    guide = Guide(tmp_path)
    demo = guide.start()
    wait_until(guide.in_the_middle)
    left = family(demo.pid)
    demo.kill()
    demo.communicate()
    wait_until(lambda: not any(alive(pid) for pid in left))
    assert "Continuing" in guide.run()
    guide.assert_nothing_lost()
    assert guide.count("airports_demorun") == 1


def test_a_worker_killed_in_the_middle_loses_nothing_and_imports_each_batch_once(tmp_path: Path) -> None:
    guide = Guide(tmp_path)
    demo = guide.start()
    wait_until(guide.in_the_middle)
    (worker,) = children(demo.pid)
    os.kill(worker, signal.SIGKILL)
    assert "was killed by signal 9" in guide.finish(demo)
    guide.assert_nothing_lost()
