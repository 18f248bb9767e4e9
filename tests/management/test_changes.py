"""`manage.py jobs requeue | replay | cancel`: who is meant, what is reported, how it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from django_jobs import client
from django_jobs.management.jobs import changes
from django_jobs.models import Job
from django_jobs.states import FINAL, PENDING, Status
from django_jobs.uuid7 import uuid7
from tests.jobs import apply

NOW = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
UNKNOWN = "01a200f0-0000-7000-8000-000000000000"
VERBS = {"requeue": "requeued", "replay": "replayed", "cancel": "cancelled"}
FROM = {"requeue": FINAL, "replay": {Status.DEAD}, "cancel": PENDING}
ALSO = {"requeue": {}, "replay": {"refused": 0}, "cancel": {"asked": 1}}

Ask = Callable[..., str]


@pytest.fixture
def ask(db: None, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Return the command as a function that gives back what it prints."""

    def asked(*words: str) -> str:
        call_command("jobs", *words)
        return capsys.readouterr().out

    return asked


def make(status: Status = Status.DEAD, **columns: Any) -> Job:
    return Job.objects.create(
        **{"function": "shop.jobs.pay", "status": status, "run_after": NOW, "args": "{}", **columns}
    )


def standing() -> dict[Any, tuple[Any, ...]]:
    return {job.pk: (job.status, job.round, job.replayed_as) for job in Job.objects.all()}


def id_of(job: Job) -> str:
    return str(job.pk)


@pytest.mark.parametrize(("verb", "done"), VERBS.items())
def test_exactly_the_eligible_jobs_are_changed_and_counted(ask: Ask, verb: str, done: str) -> None:
    jobs = [make(status) for status in Status]
    counts = json.loads(ask(verb, *map(id_of, jobs), "--json"))
    eligible = FROM[verb]
    left = len(Status) - len(eligible) - sum(ALSO[verb].values())
    assert counts == {done: len(eligible), **ALSO[verb], "not_eligible": left, "dry_run": False}
    for job in jobs:
        now = Job.objects.get(pk=job.pk)
        changed = (now.status, now.round, now.replayed_as) != (job.status, 1, None)
        assert changed == (job.status in eligible)


def test_what_was_not_eligible_is_said(ask: Ask) -> None:
    jobs = [make(Status.COMPLETED), make(Status.RUNNING), make(Status.READY)]
    assert ask("requeue", *map(id_of, jobs)) == (
        "1 requeued; 2 left alone (only cancelled, completed or dead jobs can be requeued)\n"
    )


def test_one_id_spelt_twice_counts_once(ask: Ask) -> None:
    job = make()
    assert ask("replay", id_of(job), job.pk.hex) == "1 replayed\n"
    assert Job.objects.count() == 2


@pytest.mark.parametrize("verb", VERBS)
def test_one_unknown_id_is_said_in_one_line_and_nothing_is_changed(ask: Ask, verb: str) -> None:
    jobs = [make(Status.DEAD), make(Status.READY)]
    before = standing()
    for bad in (UNKNOWN, "nonsense", "two\nlines"):
        for words in ([], ["--dry-run"]):
            with pytest.raises(CommandError, match=r"no job has the id .*nothing was changed") as caught:
                ask(verb, *map(id_of, jobs), bad, *words)
            assert "\n" not in str(caught.value)
            assert caught.value.returncode == 1
    assert standing() == before


@pytest.mark.parametrize("verb", VERBS)
def test_ids_of_which_none_is_eligible_are_an_error(ask: Ask, verb: str) -> None:
    job = make(Status.COMPLETED if verb == "cancel" else Status.RUNNING)
    with pytest.raises(CommandError, match="nothing was changed: 1 left alone") as caught:
        ask(verb, id_of(job))
    assert caught.value.returncode == 1


def asked_of(job: Job) -> int:
    return Job.objects.values_list("cancel_requested", flat=True).get(pk=job.pk)


def test_a_running_job_is_asked_to_end_and_counted_apart(ask: Ask) -> None:
    pending, running, final = (make(status) for status in (Status.READY, Status.RUNNING, Status.DEAD))
    assert ask("cancel", *map(id_of, (pending, running, final))) == (
        "1 cancelled, 1 asked to end; 1 left alone "
        "(only pending and running jobs can be cancelled, and a running one is asked once)\n"
    )
    assert asked_of(running) == 1


def test_force_is_asked_for_by_a_word_of_its_own(ask: Ask) -> None:
    job = make(Status.RUNNING)
    assert ask("cancel", id_of(job)) == "0 cancelled, 1 asked to end\n"
    with pytest.raises(CommandError, match="a running one is asked once"):
        ask("cancel", id_of(job))
    dry = ask("cancel", id_of(job), "--force", "--dry-run")
    assert dry == "0 would be cancelled, 1 would be asked to end\n"
    assert ask("cancel", id_of(job), "--force") == "0 cancelled, 1 asked to end\n"
    assert asked_of(job) == 2


def test_show_says_what_is_asked_of_a_running_job(ask: Ask) -> None:
    job = make(Status.RUNNING)
    assert "cancelling" not in ask("show", id_of(job))
    for words, wish in ([], "asked"), (["--force"], "forced"):
        ask("cancel", id_of(job), *words)
        assert f"cancelling:   {wish}\n" in ask("show", id_of(job))
        assert json.loads(ask("show", id_of(job), "--json"))["cancel_requested"] == wish


def test_running_jobs_are_asked_by_status_and_never_as_pending_ones(ask: Ask) -> None:
    jobs = [make(Status.RUNNING, queue=queue) for queue in ("mail", "default")]
    assert ask("cancel", "--status", "pending") == "0 cancelled\n"
    assert ask("cancel", "--status", "running", "--queue", "mail") == "0 cancelled, 1 asked to end\n"
    assert [asked_of(job) for job in jobs] == [1, 0]


def test_a_letter_with_arguments_of_another_is_refused_and_keeps_no_other_back(ask: Ask) -> None:
    good, bad = (apply.enqueue(len, "x") for _ in range(2))
    Job.objects.update(status=Status.DEAD)
    Job.objects.filter(pk=bad.pk).update(args=good.args)
    with pytest.raises(CommandError, match=r"cannot be replayed: the signature .*; nothing was changed"):
        ask("replay", id_of(good), id_of(bad))
    assert ask("replay", "--status", "dead") == (
        "1 replayed, 1 refused (the signature of the arguments does not match)\n"
    )
    good.refresh_from_db()
    assert good.replayed_as is not None


def test_a_letter_that_was_replayed_is_not_replayed_again(ask: Ask) -> None:
    job = make()
    ask("replay", id_of(job))
    with pytest.raises(CommandError, match="only dead jobs can be replayed, and each once"):
        ask("replay", id_of(job))
    assert ask("replay", "--status", "dead", "--dry-run") == "0 would be replayed\n"
    assert ask("replay", "--status", "dead") == "0 replayed\n"
    assert Job.objects.count() == 2


@pytest.mark.parametrize("verb", VERBS)
def test_a_dry_run_counts_and_changes_nothing(ask: Ask, verb: str) -> None:
    jobs = [make(status) for status in Status]
    before = standing()
    status = "pending" if verb == "cancel" else "dead"
    for words, count in (
        [map(id_of, jobs), len(FROM[verb])],
        [["--status", status], 3 if verb == "cancel" else 1],
    ):
        counts = json.loads(ask(verb, *words, "--dry-run", "--json"))
        assert (counts[VERBS[verb]], counts["dry_run"]) == (count, True)
    assert standing() == before


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--status", "dead"], {"cancelled", "completed"}),
        (["--status", "cancelled"], {"dead", "completed"}),
        (["--status", "dead", "--queue", "mail"], {"cancelled", "completed", "dead"}),
        (["--status", "dead", "--queue", "default"], {"cancelled", "completed"}),
        (["--status", "dead", "--function", "JOBS.PAY"], {"cancelled", "completed"}),
        (["--status", "dead", "--function", "mail"], {"cancelled", "completed", "dead"}),
    ],
)
def test_a_selection_is_a_status_narrowed_as_the_list_is(ask: Ask, words: list[str], left: set[str]) -> None:
    for status in FINAL:
        make(status)
    ask("requeue", *words)
    assert {job.status for job in Job.objects.all()} - {"ready"} == left


def test_an_empty_selection_is_no_error(ask: Ask) -> None:
    assert ask("cancel", "--status", "pending", "--queue", "nowhere") == "0 cancelled\n"


@pytest.mark.parametrize("verb", VERBS)
def test_a_long_selection_is_changed_in_steps_each_job_once(ask: Ask, verb: str) -> None:
    status = Status.SCHEDULED if verb == "cancel" else Status.DEAD
    Job.objects.bulk_create(
        Job(function="f", status=status, run_after=NOW, args="{}") for _ in range(2 * changes.STEP + 7)
    )
    with mock.patch.object(client, verb, side_effect=getattr(client, verb)) as change:
        counts = json.loads(ask(verb, "--status", status.value, "--json"))
    assert counts[VERBS[verb]] == 2 * changes.STEP + 7
    assert [len(call.args[0]) for call in change.call_args_list] == [changes.STEP, changes.STEP, 7]


@pytest.mark.parametrize("verb", VERBS)
def test_a_selection_has_jobs_of_hosts_whose_clock_is_ahead(ask: Ask, verb: str) -> None:
    status = Status.SCHEDULED if verb == "cancel" else Status.DEAD
    an_hour_ahead = uuid7().int + (3_600_000 << 80)
    make(status), make(status, id=UUID(int=an_hour_ahead))
    assert ask(verb, "--status", status.value) == f"2 {VERBS[verb]}\n"


def test_what_is_enqueued_while_a_selection_is_changed_is_no_part_of_it(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(Status.READY)
    monkeypatch.setattr(changes, "STEP", 1)
    monkeypatch.setattr(changes.time, "sleep", lambda seconds: make(Status.READY))
    assert ask("cancel", "--status", "ready") == "1 cancelled\n"
    assert Job.objects.ready().count() == 1


def test_a_job_removed_while_a_selection_is_changed_keeps_none_of_the_others_back(ask: Ask) -> None:
    jobs = [make() for _ in range(3)]
    requeue = client.requeue

    def remove_one_first(ids: Any) -> int:
        Job.objects.filter(pk=jobs[1].pk).delete()
        return requeue(ids)

    with mock.patch.object(client, "requeue", remove_one_first):
        assert ask("requeue", "--status", "dead") == "2 requeued\n"


@pytest.mark.parametrize(
    "words",
    [
        ["requeue"],
        ["cancel", "--queue", "mail"],
        ["replay", UNKNOWN, "--status", "dead"],
        ["requeue", UNKNOWN, "--queue", "mail"],
        ["requeue", "--status", "running"],
        ["replay", "--status", "completed"],
        ["cancel", "--status", "dead"],
    ],
)
def test_wrong_usage_changes_nothing(ask: Ask, words: list[str]) -> None:
    make(), make(Status.READY)
    before = standing()
    with pytest.raises(CommandError):
        ask(*words)
    assert standing() == before


def test_show_names_the_two_jobs_of_a_replay(ask: Ask) -> None:
    letter = make()
    ask("replay", id_of(letter))
    new = Job.objects.get(replay_of=letter.pk)
    assert json.loads(ask("show", id_of(letter), "--json"))["replayed_as"] == id_of(new)
    assert json.loads(ask("show", id_of(new), "--json"))["replay_of"] == id_of(letter)
    assert f"replayed as:  {id_of(new)}\n" in ask("show", id_of(letter))
