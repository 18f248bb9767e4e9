"""`manage.py jobs workers`: who is there, and who has not been seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from django_jobs.engines import Engine
from django_jobs.models import Job, WorkerProcess

Ask = Callable[..., str]


@pytest.fixture
def ask(db: None, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Return the subcommand as a function that gives back what it prints."""

    def asked(*words: str) -> str:
        call_command("jobs", "workers", *words)
        return capsys.readouterr().out

    return asked


def make_worker(worker_id: str, *, unseen: float = 0, **columns: Any) -> WorkerProcess:
    """Store the row of a worker that was seen so many seconds ago."""
    now = timezone.now()
    plain = {
        "hostname": "host",
        "pid": 7,
        "queues": "mail* except old",
        "slots": 2,
        "version": "0.1.0",
        "started_at": now - timedelta(hours=1),
        "seen_at": now - timedelta(seconds=unseen),
    }
    return WorkerProcess.objects.create(id=worker_id, **{**plain, **columns})


def make_running(worker_id: str, count: int) -> None:
    """Store jobs that a worker holds."""
    for number in range(count):
        Job.objects.create(
            function="shop.jobs.pay",
            status="running",
            run_after=timezone.now(),
            args="{}",
            worker_id=worker_id,
            claim_token=number,
            lease=timezone.now(),
        )


def test_a_worker_is_told_with_all_that_is_known(ask: Ask) -> None:
    worker = make_worker("w-1")
    make_running("w-1", 3), make_running("another", 1)
    (told,) = json.loads(ask("--json"))
    assert told == {
        "id": "w-1",
        "alive": True,
        "running": 3,
        "slots": 2,
        "host": "host",
        "pid": 7,
        "queues": "mail* except old",
        "version": "0.1.0",
        "started_at": worker.started_at.isoformat(),
        "seen_at": worker.seen_at.isoformat(),
    }
    head, line = ask().splitlines()
    assert head.split()[:4] == ["worker", "is", "running", "slots"]
    assert line.split()[:6] == ["w-1", "alive", "3", "2", "host", "7"]
    assert line.endswith("mail* except old")


def test_the_oldest_worker_comes_first(ask: Ask) -> None:
    make_worker("a"), make_worker("b", started_at=timezone.now() - timedelta(days=1))
    assert [each["id"] for each in json.loads(ask("--json"))] == ["b", "a"]


@pytest.mark.parametrize(
    ("unseen", "said"),
    [(62, "6? s"), (185, "3 min"), (3_500, "58 min"), (2.5 * 3_600, "2 h"), (3.5 * 86_400, "3 days")],
)
def test_a_worker_not_seen_for_a_lease_is_said_to_be_so(ask: Ask, unseen: float, said: str) -> None:
    make_worker("w", unseen=unseen)
    assert json.loads(ask("--json"))[0]["alive"] is False
    text = ask()
    assert any(f"not seen for {said.replace('?', digit)}  " in text for digit in "23456789")


def test_how_long_is_long_is_a_lease(ask: Ask) -> None:
    make_worker("w", unseen=90)
    with override_settings(DJANGO_JOBS={"LEASE": 600}):
        assert "alive" in ask()


def test_no_worker_is_an_answer(ask: Ask) -> None:
    assert ask() == "no worker is running\n"
    assert json.loads(ask("--json")) == []


def test_stored_text_cannot_command_the_terminal(ask: Ask) -> None:
    evil = "\x1b]0;owned\x07"
    make_worker(evil, hostname=evil, queues=evil)
    assert "\x1b" not in ask()


def test_alive_is_who_was_seen_lately_by_the_database_s_clock(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_worker("w1")
    in_three_hours = timezone.now() + timedelta(hours=3)
    monkeypatch.setattr(Engine, "read_clock", lambda engine: in_three_hours)
    assert "not seen for 3 h" in ask()
