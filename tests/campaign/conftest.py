"""Rows that were made up, and runs that come to what a test wants them to."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.campaign.campaign import Campaign
from tests.campaign.records import Records
from tests.campaign.rows import Row
from tests.campaign.running import Ending

# A pytest without Django and whatever else is installed, so that it begins soon.
NEEDED = ("tests.campaign.plugin", "pytest_timeout", "_hypothesis_pytestplugin")
PLAIN = (sys.executable, "-m", "pytest", "-c", os.devnull, *(f"-p{name}" for name in NEEDED))
VERSIONS = {"Python": "3.13.0", "Django": "6.1", "database": "3.40.1"}


def row(test: str = "tests/test_docs.py::test_a_fact", database: str = "sqlite", **values: Any) -> Row:
    """Return a row; its file is one that is there."""
    known = {"title": "a fact", "about": "What it is about.", "cases": 1, "versions": VERSIONS}
    return Row(test, database, **{**known, **values})


class FakeRun:
    """A run that has come to its end."""

    def __init__(self, outcome: str, **told: Any) -> None:
        self.log = Path("/nowhere/log")
        self._ending = Ending(outcome, 1.5, {"cases": {outcome: 1}, **told})

    def wait(self) -> Ending:
        """Say what it came to."""
        return self._ending

    def end(self) -> None:
        """Do nothing: it has ended."""


class Stage:
    """A campaign in which only the rows are not real.

    Attributes:
        begun: the rows that were begun, with their seeds.
        reports: how often a report was written.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self.file = place / "records.jsonl"
        self.begun: list[tuple[Row, int]] = []
        self.reports = 0

    @property
    def records(self) -> Records:
        """What is on the disk."""
        return Records(self.file)

    def campaign(
        self, become: Callable[[Row], Any] = lambda row: FakeRun("passed"), **options: Any
    ) -> Campaign:
        """Return a campaign whose rows become what this function says."""

        def begin(row: Row, seed: int, place: Path) -> Any:
            self.begun.append((row, seed))
            return become(row)

        return Campaign(self.records, report=self._report, place=self._place, begin=begin, **options)

    def _report(self) -> None:
        self.reports += 1


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Return an empty stage."""
    return Stage(tmp_path)
