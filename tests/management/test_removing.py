"""`manage.py jobs prune | purge`: what goes, what stays, and who is asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command

from django_jobs.duties import STEP
from django_jobs.engines import Engine
from django_jobs.management.jobs import steps
from django_jobs.models import Attempt, Job
from django_jobs.states import Status

NOW = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
DAY = 24 * 3600

Ask = Callable[..., str]


@pytest.fixture
def ask(db: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Return the command, asked at one moment, as a function that gives back what it prints."""
    monkeypatch.setattr(Engine, "read_clock", lambda engine: NOW)

    def asked(*words: str) -> str:
        call_command("jobs", *words)
        return capsys.readouterr().out

    return asked


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> mock.Mock:
    """Sit at a terminal; what is set as return_value is answered."""
    monkeypatch.setattr(sys, "stdin", mock.Mock(isatty=lambda: True))
    asked = mock.Mock(return_value="y")
    monkeypatch.setattr("builtins.input", asked)
    return asked


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no terminal."""
    monkeypatch.setattr(sys, "stdin", mock.Mock(isatty=lambda: False))


def make(status: Status, *, days: float = 0, **columns: Any) -> Job:
    due = NOW - timedelta(days=days)
    return Job.objects.create(
        **{"function": "f", "status": status, "run_after": due, "args": "{}", **columns}
    )


def left() -> list[str]:
    return sorted(Job.objects.values_list("status", flat=True))


def old_ones() -> None:
    for status in Status:
        make(status, days=8)
        make(status, days=1)


class TestPrune:
    def test_retention_says_what_goes(self, ask: Ask) -> None:
        old_ones()
        assert json.loads(ask("prune", "--json")) == {
            "pruned": 2,
            "by_status": {"completed": 1, "cancelled": 1},
            "dry_run": False,
        }
        assert left() == sorted([*Status, *(set(Status) - {"completed", "cancelled"})])

    def test_the_project_s_own_retention_is_merged_over_the_default(self, ask: Ask, settings: Any) -> None:
        settings.DJANGO_JOBS = {"RETENTION": {"completed": DAY / 2, "dead": timedelta(days=5)}}
        old_ones()
        assert ask("prune") == "4 pruned: 2 completed, 1 cancelled, 1 dead\n"

    def test_a_dry_run_counts_and_removes_nothing(self, ask: Ask) -> None:
        old_ones()
        assert ask("prune", "--dry-run") == "2 would be pruned: 1 completed, 1 cancelled\n"
        assert len(left()) == 2 * len(Status)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--older-than", "12h"], "4 pruned: 2 completed, 2 cancelled\n"),
            (["--older-than", "2w"], "0 pruned: 0 completed, 0 cancelled\n"),
            (["--status", "cancelled"], "1 pruned: 1 cancelled\n"),
            (["--status", "dead", "--older-than", "7d"], "1 pruned: 1 dead\n"),
            (["--status", "dead", "--older-than", "10000m"], "1 pruned: 1 dead\n"),
            (["--status", "completed", "--older-than", "0s"], "2 pruned: 2 completed\n"),
        ],
    )
    def test_it_is_narrowed_by_status_and_age(self, ask: Ask, words: list[str], said: str) -> None:
        old_ones()
        assert ask("prune", *words) == said

    def test_what_is_kept_for_ever_goes_only_by_an_age(self, ask: Ask, settings: Any) -> None:
        make(Status.DEAD, days=3000)
        with pytest.raises(CommandError, match="RETENTION keeps dead jobs for ever: say") as caught:
            ask("prune", "--status", "dead")
        assert caught.value.returncode == 2
        settings.DJANGO_JOBS = {"RETENTION": {"completed": None, "cancelled": None}}
        with pytest.raises(CommandError, match="RETENTION keeps all jobs for ever"):
            ask("prune", "--older-than", "1d")
        assert left() == ["dead"]

    def test_many_go_in_steps_and_all_go(self, ask: Ask) -> None:
        count = 2 * STEP + 7
        Job.objects.bulk_create(
            Job(function="f", status="completed", run_after=NOW - timedelta(days=9), args="{}")
            for _ in range(count)
        )
        assert ask("prune") == f"{count} pruned: {count} completed, 0 cancelled\n"
        assert left() == []

    @pytest.mark.parametrize(
        "age", ["7", "d", "-7d", "7 d", "7y", "1.5d", "", "٧d", "99999999w", "9" * 400 + "d"]
    )
    def test_an_age_that_is_none_is_refused(self, ask: Ask, age: str) -> None:
        make(Status.COMPLETED, days=3000)
        with pytest.raises(CommandError, match=r"older-than|expected one argument"):
            ask("prune", "--older-than", age)
        assert left() == ["completed"]

    @pytest.mark.parametrize("status", ["ready", "running", "pending", "x"])
    def test_only_a_final_status_can_be_chosen(self, ask: Ask, status: str) -> None:
        with pytest.raises(CommandError):
            ask("prune", "--status", status, "--older-than", "1d")


class TestPurge:
    def test_a_queue_is_emptied_but_for_what_runs(self, ask: Ask) -> None:
        for status in Status:
            job = make(status, queue="mail")
            Attempt.objects.create(
                job=job, token=1, round=1, number=1, outcome="failed", worker_id="w", finished_at=NOW
            )
        make(Status.READY, queue="mail2")
        assert json.loads(ask("purge", "mail", "--yes", "--json")) == {
            "queue": "mail",
            "purged": 6,
            "running": 1,
        }
        assert left() == ["ready", "running"]
        assert Attempt.objects.count() == 1

    def test_only_the_statuses_asked_for(self, ask: Ask) -> None:
        for status in Status:
            make(status)
        assert ask("purge", "default", "--status", "dead", "--status", "ready", "--yes") == (
            "2 purged; 1 running left alone\n"
        )
        assert set(Status) - set(left()) == {"dead", "ready"}

    def test_many_go_in_steps_and_all_go(self, ask: Ask) -> None:
        Job.objects.bulk_create(
            Job(function="f", status="ready", run_after=NOW, args="{}") for _ in range(2 * STEP + 7)
        )
        assert ask("purge", "default", "--yes") == f"{2 * STEP + 7} purged\n"

    def test_it_ends_where_jobs_keep_coming(self, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
        make(Status.READY)
        pauses = iter(range(9))  # a tenth one fails

        def rest(seconds: float) -> None:
            next(pauses)
            make(Status.READY)

        monkeypatch.setattr(steps.time, "sleep", rest)
        assert ask("purge", "default", "--yes") == "1 purged\n"

    def test_a_person_is_asked_and_told_what_would_go(self, ask: Ask, person: mock.Mock) -> None:
        make(Status.READY), make(Status.READY), make(Status.DEAD), make(Status.RUNNING)
        assert ask("purge", "default") == "3 purged; 1 running left alone\n"
        (question,) = person.call_args.args
        assert question == "Remove from queue default for good: 2 ready, 1 dead? [y/N] "

    @pytest.mark.parametrize("answer", ["", "n", "no", "yess"])
    def test_any_answer_but_yes_removes_nothing(self, ask: Ask, person: mock.Mock, answer: str) -> None:
        make(Status.READY)
        person.return_value = answer
        with pytest.raises(CommandError, match="nothing was removed") as caught:
            ask("purge", "default")
        assert caught.value.returncode == 1
        assert left() == ["ready"]

    def test_who_ends_the_input_has_said_no(self, ask: Ask, person: mock.Mock) -> None:
        make(Status.READY)
        person.side_effect = EOFError
        with pytest.raises(CommandError, match="nothing was removed"):
            ask("purge", "default")
        assert left() == ["ready"]

    def test_a_script_is_refused_and_never_asked(self, ask: Ask, person: mock.Mock) -> None:
        make(Status.READY)
        with pytest.raises(CommandError, match=r"1 ready.*say --yes") as caught:
            ask("purge", "default", "--json")
        assert caught.value.returncode == 2
        person.assert_not_called()
        assert left() == ["ready"]

    def test_without_a_terminal_it_is_refused(self, ask: Ask, nobody: None) -> None:
        make(Status.READY)
        with pytest.raises(CommandError, match="say --yes"):
            ask("purge", "default")
        assert left() == ["ready"]

    def test_where_there_is_nothing_to_remove_nobody_is_asked(self, ask: Ask, nobody: None) -> None:
        make(Status.RUNNING)
        assert ask("purge", "default") == "0 purged; 1 running left alone\n"
        assert ask("purge", "nowhere") == "0 purged\n"

    @pytest.mark.parametrize(
        "words", [[], ["default", "--status", "running"], ["default", "--status", "final"]]
    )
    def test_wrong_usage_removes_nothing(self, ask: Ask, words: list[str]) -> None:
        make(Status.READY), make(Status.RUNNING)
        with pytest.raises(CommandError):
            ask("purge", *words, "--yes")
        assert len(left()) == 2
