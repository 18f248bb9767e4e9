"""A row in a real pytest: what it tells, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.campaign import running
from tests.campaign.conftest import PLAIN, VERSIONS
from tests.campaign.rows import Row
from tests.campaign.running import Run
from tests.processes.conftest import is_gone

PATIENCE = 60
FACTS = '''"""What this file is about."""
import os, pytest, subprocess, time
from pathlib import Path

def test_it_measures(record_property):
    record_property("size", "3 jobs")
    for number in (1, 2, 9):
        record_property("figure", ("waited", number))

@pytest.mark.parametrize("number", [1, 2])
def test_some_cases_fail(number):
    assert number == 1

def test_it_cannot_run():
    pytest.skip("the program is not in /usr/bin")

def test_it_ends_its_process():
    os._exit(3)

def test_it_is_lost_and_leaves_a_process():
    left = subprocess.Popen(["sleep", "600"], start_new_session=True)
    (Path(__file__).parent / "pid").write_text(str(left.pid))
    os._exit(3)

def test_it_knows_its_seed_and_tier(tmp_path):
    assert (os.environ["TEST_SEED"], os.environ["TEST_TIER"], tmp_path.parts[-2]) == ("7", "2", "files")

@pytest.fixture
def place():
    place = Path(__file__).parent
    yield place
    (place / "cleaned").touch()

def test_it_takes_for_ever(place):
    # Not in the fixture: whoever is interrupted before its yield has nothing to clean.
    (place / "begun").touch()
    time.sleep(600)
'''


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Run]]:
    """Return a function that begins one of these tests as a row."""
    monkeypatch.setattr(running, "PYTEST", PLAIN)
    monkeypatch.setattr(running, "ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "test_facts.py").write_text(FACTS)
    begun: list[Run] = []

    def begin(name: str) -> Run:
        row = Row(f"test_facts.py::test_{name}", "sqlite", name, "", 1, VERSIONS)
        begun.append(Run(row, 7, tmp_path / "left" / name))
        return begun[-1]

    yield begin
    for each in begun:
        each.end()


def test_a_row_tells_its_size_and_the_median_and_worst_of_its_figures(run: Callable[[str], Run]) -> None:
    ending = run("it_measures").wait()
    assert ending.outcome == "passed"
    assert ending.told == {
        "cases": {"passed": 1},
        "failed": [],
        "reasons": [],
        "sizes": ["3 jobs"],
        "figures": {"waited": {"times": 3, "median": 2, "worst": 9}},
    }


def test_a_row_of_which_a_case_fails_has_failed_and_its_files_stay(run: Callable[[str], Run]) -> None:
    row = run("some_cases_fail")
    ending = row.wait()
    assert (ending.outcome, ending.told["failed"]) == ("failed", ["2"])
    assert ending.told["cases"] == {"failed": 1, "passed": 1}
    assert "assert 2 == 1" in row.log.read_text()


def test_a_row_that_passed_leaves_nothing(run: Callable[[str], Run], tmp_path: Path) -> None:
    assert run("it_knows_its_seed_and_tier").wait().outcome == "passed"
    assert not list((tmp_path / "left").iterdir())


def test_a_row_that_cannot_run_is_no_row_that_passed_and_no_path_is_told(run: Callable[[str], Run]) -> None:
    ending = run("it_cannot_run").wait()
    assert (ending.outcome, ending.told["reasons"]) == ("skipped", ["the program is not in …"])


@pytest.mark.parametrize("name", ["it_ends_its_process", "it_is_not_there"])
def test_a_row_without_a_report_has_failed(run: Callable[[str], Run], name: str) -> None:
    assert run(name).wait().outcome == "failed"


def test_of_a_row_that_is_lost_no_process_is_left(run: Callable[[str], Run], tmp_path: Path) -> None:
    run("it_is_lost_and_leaves_a_process").wait()
    left = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + PATIENCE
    while not is_gone(left):  # a signal takes its time
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_row_that_is_ended_cleans_up_after_itself(run: Callable[[str], Run], tmp_path: Path) -> None:
    row = run("it_takes_for_ever")
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline, row.log.read_text()
        time.sleep(0.01)
    row.end()
    assert row.wait().outcome == "failed"
    assert (tmp_path / "cleaned").exists()
