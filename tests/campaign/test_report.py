"""The report says what held, what did not, and what nobody has tried yet."""

from __future__ import annotations

from typing import Any

import pytest

from tests.campaign import circumstances
from tests.campaign.__main__ import _forget
from tests.campaign.conftest import VERSIONS, Stage, row
from tests.campaign.records import Record, Records
from tests.campaign.report import report
from tests.pages import ROOT, page

DIGEST = circumstances.digest(row().file)


def record(**values: Any) -> Record:
    """Return a run that passed."""
    known = {"test": row().test, "database": "sqlite", "digest": DIGEST, "outcome": "passed", "seed": 42}
    under = {"commit": "abc123", "day": "2026-11-22", "machine": "2 cores", "versions": VERSIONS}
    return Record(**{**known, **under, "seconds": 61.4, "cases": {"passed": 1}, **values})


def line_of(*records: Record, stage: Stage, **values: Any) -> str:
    """Return the line of the one row there is."""
    kept = stage.records
    for each in records:
        kept.add(each)
    text = report([row(**values)], kept)
    return next(line for line in text.splitlines() if line.startswith("| a fact"))


def test_a_line_says_what_holds_where_how_much_how_long_and_with_which_seed(stage: Stage) -> None:
    told = {"sizes": ["50 jobs"], "figures": {"rescued after": {"times": 3, "median": 1.5, "worst": 2.25}}}
    assert line_of(record(**told), stage=stage) == (
        "| a fact | SQLite | passed | 50 jobs | rescued after: 1.5, 2.25 (3 times) | 42 | 61 | `abc123` |"
    )


def test_a_row_nobody_has_run_is_named(stage: Stage) -> None:
    assert line_of(stage=stage, cases=9) == "| a fact | SQLite | not run yet | 9 cases |  |  |  |  |"


def test_a_row_that_failed_names_its_cases(stage: Stage) -> None:
    assert "| **failed**<br>killed-1 |" in line_of(record(outcome="failed", failed=["killed-1"]), stage=stage)


def test_a_row_that_was_skipped_says_why(stage: Stage) -> None:
    skipped = record(outcome="skipped", cases={"skipped": 1}, reasons=["no pooler is there"])
    assert "| **skipped**<br>no pooler is there |" in line_of(skipped, stage=stage)


def test_that_a_row_has_failed_before_with_the_same_code_is_not_forgotten(stage: Stage) -> None:
    line = line_of(record(outcome="failed", seed=1), record(), stage=stage)
    assert "passed<br>**failed** before, with the seed 1" in line


def test_a_row_that_was_run_with_older_code_says_so(stage: Stage) -> None:
    assert "passed<br>with older code" in line_of(record(digest="older"), stage=stage)


def test_what_a_test_says_is_text_and_nothing_else(stage: Stage) -> None:
    figures = {"a|b <i>": {"times": 1, "median": 1, "worst": 1}}
    assert r"a\|b \<i\>: 1 |" in line_of(record(figures=figures), stage=stage)


def test_the_overview_counts_the_rows_of_each_database(stage: Stage) -> None:
    rows = [row(), row(f"{row().test}_more"), row(database="postgresql")]
    stage.records.add(record())
    lines = report(rows, stage.records).splitlines()
    with_ = "SQLite 3.40.1"
    assert (
        f"| SQLite | Python 3.13.0, Django 6.1, {with_} | 2 cores | 2026-11-22 | 1 | 0 | 0 | 0 | 1 |" in lines
    )
    assert "| PostgreSQL |  |  |  | 0 | 0 | 0 | 0 | 1 |" in lines
    assert "| MariaDB | was not there | | | | | | | all |" in lines


def test_what_was_recorded_of_a_database_that_is_not_here_now_stays(stage: Stage) -> None:
    stage.records.add(record(database="mariadb"))
    assert "|  | MariaDB | passed |" in report([row()], stage.records)


def test_tests_that_are_no_more_are_forgotten_and_those_of_databases_that_are_not_here_are_not(
    stage: Stage,
) -> None:
    kept = stage.records
    for each in (record(), record(test="tests/test_docs.py::test_gone"), record(database="mariadb")):
        kept.add(each)
    _forget(kept, [row()], [])
    assert {each.key for each in stage.records.all} == {(row().test, "mariadb"), row().key}


def test_fresh_forgets_the_rows_that_are_chosen(stage: Stage) -> None:
    kept, other = stage.records, row(f"{row().test}_more")
    for each in (record(), record(test=other.test)):
        kept.add(each)
    _forget(kept, [row(), other], [row()])
    assert [each.key for each in stage.records.all] == [other.key]


@pytest.mark.parametrize("name", ["docs/reliability-report.jsonl", "docs/reliability-report.md"])
def test_the_report_that_is_kept_can_be_read_and_names_no_place_of_the_machine(name: str) -> None:
    text = page(name)
    assert Records(ROOT / "docs/reliability-report.jsonl").all
    assert not [place for place in ("/tmp", "/home", "/work", "/root", "/usr") if place in text]
