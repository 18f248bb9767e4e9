"""`manage.py jobs queues`: what there is, and what is paused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from django_jobs import pause_queue
from django_jobs.models import Queue
from django_jobs.states import Status
from tests import jobs

Ask = Callable[..., str]


@pytest.fixture
def ask(db: None, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Return the subcommand as a function that gives back what it prints."""

    def asked(*words: str) -> str:
        call_command("jobs", "queues", *words)
        return capsys.readouterr().out

    return asked


def paused() -> set[str]:
    return set(Queue.objects.values_list("name", flat=True))


def test_each_queue_is_told_with_its_jobs_and_its_pause(ask: Ask) -> None:
    jobs.add.enqueue(1), jobs.add.enqueue(2)
    jobs.add.using(queue="mail").enqueue(3)
    pause_queue("mail"), pause_queue("empty")
    first, second, third = json.loads(ask("--json"))
    since = {queue.name: queue.paused_at.isoformat() for queue in Queue.objects.all()}
    nothing = dict.fromkeys(Status, 0)
    assert first == {"queue": "default", "paused_since": None, "jobs": {**nothing, "ready": 2}}
    assert second == {"queue": "empty", "paused_since": since["empty"], "jobs": nothing}
    assert third == {"queue": "mail", "paused_since": since["mail"], "jobs": {**nothing, "ready": 1}}


def test_people_get_a_line_a_queue(ask: Ask) -> None:
    jobs.add.enqueue(1)
    pause_queue("mail")
    head, default, mail = (line.split() for line in ask().splitlines())
    assert head == ["queue", *Status, "paused", "since"]
    assert default == ["default", "0", "0", "1", "0", "0", "0", "0", "-"]
    assert mail[:8] == ["mail", *"0000000"]
    assert mail[8:] == f"{Queue.objects.get().paused_at:%Y-%m-%d %H:%M:%S}".split()


def test_no_queue_is_an_answer(ask: Ask) -> None:
    assert ask() == "no queue has a job or is paused\n"
    assert json.loads(ask("--json")) == []


def test_queues_are_paused_and_resumed_and_shown_as_they_are_then(ask: Ask) -> None:
    lines = ask("--pause", "mail", "reports").splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["mail", "reports"]
    assert paused() == {"mail", "reports"}
    ask("--pause", "mail", "--pause", "urgent")
    assert paused() == {"mail", "reports", "urgent"}
    (left,) = json.loads(ask("--resume", "mail", "reports", "never-paused", "--json"))
    assert left["queue"] == "urgent"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--pause"], "--pause: expected at least one argument"),
        (["--pause", "mail*"], "a queue's name must be 1 to 100 printable characters"),
        (["--resume", "a,b"], "not 'a,b'"),
        (["--pause", "mail", "--resume", "reports"], "not allowed with"),
        (["mail"], "unrecognized arguments: mail"),
    ],
)
def test_wrong_usage_changes_nothing(ask: Ask, words: list[Any], said: str) -> None:
    with pytest.raises(CommandError) as caught:
        ask(*words)
    assert said in str(caught.value)
    assert paused() == set()


def test_stored_text_cannot_command_the_terminal(ask: Ask) -> None:
    Queue.objects.create(name="\x1b]0;owned\x07")
    assert "\x1b" not in ask()
