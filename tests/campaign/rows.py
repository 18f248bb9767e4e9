"""The rows of the campaign: each test function with the mark `faults`, on each database it is about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.campaign import plugin

ROOT = Path(__file__).resolve().parents[2]
PYTEST = (sys.executable, "-m", "pytest", "-p", "tests.campaign.plugin", "-n", "0")
# What `tests.databases` leaves to those who share a database, which no two rows do.
SHARED = ("TEST_DATABASE_DIRECTORY", "TEST_DATABASE_RUN", "TEST_DATABASE_NAME")


class Row(NamedTuple):
    """One fault, as far as it is known before it is put to the test.

    Attributes:
        test: pytest's name of the function, without its cases.
        title: what is to hold.
        about: what its file is about.
        cases: how many there are.
        versions: of Python, Django and the database.
    """

    test: str
    database: str
    title: str
    about: str
    cases: int
    versions: dict[str, str]

    @property
    def file(self) -> str:
        """Where the test is."""
        return self.test.partition("::")[0]

    @property
    def key(self) -> tuple[str, str]:
        """What tells it apart."""
        return self.test, self.database

    def is_called(self, words: Sequence[str]) -> bool:
        """Return whether its name contains one of these words, or there are none."""
        return not words or any(word in self.test for word in words)


class NotCollected(Exception):
    """Pytest cannot say which tests there are; what it printed says why."""


def collect(names: Iterable[str]) -> list[Row]:
    """Return all rows of these databases."""
    return [row for name in names for row in _collect(name)]


def _collect(database: str) -> list[Row]:
    print(f"{database}: looking for its rows", flush=True)
    with tempfile.TemporaryDirectory(prefix="django_jobs_") as place:
        file = Path(place) / "rows"
        ended = subprocess.run(
            [*PYTEST, "--collect-only", "-qq", "-m", "faults"],
            cwd=ROOT,
            env=environment(database, file),
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise NotCollected(ended.stdout + ended.stderr)
        said = json.loads(file.read_text())
    return [Row(database=database, versions=said["versions"], **row) for row in said["rows"]]


def environment(database: str, file: Path) -> dict[str, str]:
    """Return what a pytest of the highest tier needs to know; it tells its findings in that file."""
    inherited = {name: value for name, value in os.environ.items() if name not in SHARED}
    return {**inherited, "TEST_DATABASE": database, "TEST_TIER": "2", plugin.FILE: str(file)}
