"""What `make bench` tells of its rounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import measures, report, tables
from benchmarks.figures import Figure

ABOUT = {"processors": "2 cores (fast ones)"}
DATABASES = {"sqlite": {"version": "SQLite 3", "driver": "sqlite3", "durability": "wal", "disk": ""}}


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(report, "JSON", tmp_path / "ours.json")


def told(*rounds: dict[str, float]) -> dict[str, Any]:
    of_these = report.Report(ABOUT, DATABASES)
    for figures in rounds:
        of_these.begin_round(0.5)
        for name, value in figures.items():
            of_these.add("draining", "sqlite", Figure(name, value, "/s"))
    return of_these.write()


def test_a_share_is_that_of_the_limit_of_the_same_round() -> None:
    slow, fast = {measures.LIMIT: 1_000, measures.DRAIN: 100}, {measures.LIMIT: 4_000, measures.DRAIN: 2_000}
    found = tables.known(told(slow, fast), measures.of_the_limit(measures.DRAIN), "sqlite")
    assert found == [10, 50]


def test_a_round_in_which_the_limit_is_missing_has_no_share() -> None:
    whole = {measures.LIMIT: 1_000, measures.DRAIN: 100}
    found = told({measures.DRAIN: 100}, whole)["sections"][0]["figures"]
    shares = next(each for each in found if each["name"] == measures.of_the_limit(measures.DRAIN))
    assert shares["values"] == {"sqlite": [None, 10]}


def test_a_figure_of_one_round_stays_in_its_round() -> None:
    (figure,) = told({}, {"a": 1.0}, {})["sections"][0]["figures"]
    assert figure["values"] == {"sqlite": [None, 1.0]}


def test_the_table_has_the_median_and_the_range() -> None:
    assert "| a | /s | 200 (100 to 1,000) |" in tables.whole(told({"a": 100}, {"a": 1_000}, {"a": 200}))


def test_what_was_left_out_or_failed_is_said() -> None:
    text = tables.whole({**told({"a": 1}), "left out": ["idle"], "failed": ["mixed in round 1"]})
    assert "Left out of this run: `idle`." in text
    assert "**Failed**: mixed in round 1." in text


def test_a_run_that_was_broken_off_is_told() -> None:
    assert "**Broken off**" in tables.whole(told({"a": 1, "b": 1}, {"a": 1}))
    assert "Broken off" not in tables.whole(told({"a": 1}, {"a": 1}))


def test_a_machine_that_was_busy_otherwise_is_told() -> None:
    busy, idle = told({"a": 1}), told({"a": 1})
    busy["about"]["load at the beginning of each"] = [3.0, 9.5]
    assert "busy with something else**: a load of 9.5 on 2 cores" in tables.whole(busy)
    assert "busy" not in tables.whole(idle)


def test_a_goal_is_reached_missed_or_not_measured() -> None:
    def lines(*rounds: dict[str, float]) -> str:
        return next(
            each for each in tables.goals(told(*rounds)).splitlines() if f"| {measures.DRAIN} |" in each
        )

    assert "| ≥ 10,000 | 12,000 | reached | ≥ 8,000 | – | not measured |" in lines({measures.DRAIN: 12_000})
    assert "| ≥ 10,000 | 9,000 | **not reached** |" in lines({measures.DRAIN: 9_000})
    assert "reached" not in tables.goals(None)


def test_what_is_written_can_be_read_again() -> None:
    assert json.loads(json.dumps(told({"a": 1.5}))) == json.loads(report.JSON.read_text())
