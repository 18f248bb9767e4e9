"""Hours of rows can be interrupted and gone on with; what failed is not run until it passes."""

from __future__ import annotations

import json
import socket

import pytest

from tests.campaign import circumstances
from tests.campaign.campaign import Interrupted, again
from tests.campaign.conftest import VERSIONS, FakeRun, Stage, row
from tests.campaign.rows import Row
from tests.campaign.running import Ending

ROWS = [row(f"tests/test_docs.py::test_{name}") for name in ("one", "two", "three")]


def test_each_row_is_recorded_and_reported_when_it_ends(stage: Stage) -> None:
    assert stage.campaign().run(ROWS) == 0
    assert [record.key for record in stage.records.all] == sorted(each.key for each in ROWS)
    assert {record.outcome for record in stage.records.all} == {"passed"}
    assert stage.reports == 3


def test_a_row_has_a_seed_of_its_own_which_is_printed_and_kept(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.campaign().run(ROWS)
    seeds = {each.key: seed for each, seed in stage.begun}
    assert len(set(seeds.values())) == 3
    assert {record.key: record.seed for record in stage.records.all} == seeds
    printed = capsys.readouterr().out
    assert all(f"TEST_SEED={seed}" in printed for seed in seeds.values())


def test_what_has_passed_with_this_code_is_not_run_again(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.campaign().run(ROWS[:2])
    stage.campaign().run(ROWS)
    assert [each for each, _ in stage.begun] == ROWS
    assert "rows to run: 1; passed with this code: 2" in capsys.readouterr().out


def test_what_has_passed_with_other_code_is_run_again_and_only_the_new_run_is_kept(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.campaign().run(ROWS[:1])
    monkeypatch.setattr(circumstances, "digest", lambda file: "other")
    stage.campaign().run(ROWS[:1])
    assert [record.digest for record in stage.records.all] == ["other"]


def test_what_has_passed_on_another_version_is_run_again(stage: Stage) -> None:
    newer = ROWS[0]._replace(versions={**VERSIONS, "database": "3.50"})
    stage.campaign().run([ROWS[0]])
    stage.campaign().run([newer])
    assert [each for each, _ in stage.begun] == [ROWS[0], newer]


def test_a_row_that_fails_is_told_of_once_and_the_others_are_run(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = {ROWS[1].key: "failed"}
    assert stage.campaign(lambda each: FakeRun(outcomes.get(each.key, "passed"))).run(ROWS) == 1
    assert [each for each, _ in stage.begun] == ROWS
    (seed,) = [seed for each, seed in stage.begun if each == ROWS[1]]
    assert again(ROWS[1], seed) in capsys.readouterr().out


def test_a_row_that_failed_is_run_by_the_next_campaign_and_its_failure_is_kept(stage: Stage) -> None:
    stage.campaign(lambda each: FakeRun("failed")).run(ROWS[:1])
    stage.campaign().run(ROWS[:1])
    assert [record.outcome for record in stage.records.all] == ["failed", "passed"]


def test_a_row_that_was_skipped_is_run_by_the_next_campaign(stage: Stage) -> None:
    stage.campaign(lambda each: FakeRun("skipped")).run(ROWS[:1])
    stage.campaign().run(ROWS[:1])
    assert len(stage.begun) == 2


def test_with_a_seed_all_rows_are_run_with_it(stage: Stage) -> None:
    stage.campaign().run(ROWS[:1])
    stage.campaign(seed=7).run(ROWS[:1])
    assert [seed for _, seed in stage.begun][1] == 7


def test_two_rows_run_at_once_are_both_recorded(stage: Stage) -> None:
    assert stage.campaign(jobs=2).run(ROWS) == 0
    assert len(stage.records.all) == 3


def test_an_interrupted_campaign_loses_the_row_that_runs_and_no_other(stage: Stage) -> None:
    class Interrupting(FakeRun):
        def wait(self) -> Ending:
            raise KeyboardInterrupt

    def become(each: Row) -> FakeRun:
        return Interrupting("passed") if each == ROWS[1] else FakeRun("passed")

    with pytest.raises(Interrupted):
        stage.campaign(become).run(ROWS)
    assert stage.records.newest(ROWS[0].key)
    assert not stage.records.newest(ROWS[1].key)
    begun = len(stage.begun)
    assert stage.campaign().run(ROWS) == 0
    assert ROWS[1] in [each for each, _ in stage.begun[begun:]]
    assert {record.outcome for record in stage.records.all} == {"passed"}


def test_the_file_of_records_has_a_line_for_each_run(stage: Stage) -> None:
    stage.campaign(lambda each: FakeRun("passed", sizes=["9 jobs"])).run(ROWS)
    lines = [json.loads(line) for line in stage.file.read_text().splitlines()]
    assert [(line["test"], line["sizes"]) for line in lines] == sorted(
        (each.test, ["9 jobs"]) for each in ROWS
    )


def test_what_a_row_is_recorded_with_names_no_place_and_no_host() -> None:
    told = f"{circumstances.machine()} {circumstances.commit()} {circumstances.today()}"
    assert "/" not in told
    assert socket.gethostname() not in told
