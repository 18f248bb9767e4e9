"""`manage.py jobs`: its answers, and how it fails."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from django_jobs.models import Attempt, Counter, Job, JobError, JobNote
from django_jobs.states import AttemptOutcome, Status

NOW = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)

Ask = Callable[..., str]


@pytest.fixture
def ask(db: None, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Return the command as a function that gives back what it prints."""

    def asked(*words: str) -> str:
        call_command("jobs", *words)
        return capsys.readouterr().out

    return asked


def make_job(**columns: Any) -> Job:
    """Store a job as the engines leave it."""
    defaults = {"function": "shop.jobs.pay", "status": "ready", "run_after": NOW, "args": '{"args": [42]}'}
    return Job.objects.create(**{**defaults, **columns})


def fail(job: Job, *, message: str, traceback: str = "") -> None:
    """Store a failed attempt with its error."""
    run = {"job": job, "token": 7, "round": 1, "number": 1, "worker_id": "host:1:ab"}
    end = NOW + timedelta(seconds=2)
    Attempt.objects.create(**run, outcome="failed", started_at=NOW, finished_at=end)
    JobError.objects.create(
        **run,
        kind="exception",
        exception_type="ValueError",
        message=message,
        traceback=traceback,
        failed_at=end,
        duration=2.0,
    )


def count(function: str, *, outcome: str, runs: int, minutes_ago: int = 1) -> None:
    """Store a counter of runs that took 10 ms after 1 s in the queue."""
    Counter.objects.create(
        minute=timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=minutes_ago),
        worker_id="",
        function=function,
        queue="default",
        outcome=outcome,
        runs=runs,
        queue_seconds=runs,
        run_seconds=runs / 100,
        queue_histogram=json.dumps({10: runs}),
        run_histogram=json.dumps({4: runs}),
    )


def test_stats_count_every_status_overall_and_by_queue(ask: Ask) -> None:
    make_job(), make_job(queue="mail"), make_job(queue="mail", status="dead")
    data = json.loads(ask("stats", "--json"))
    assert data["total"] == {**dict.fromkeys(Status, 0), "ready": 2, "dead": 1}
    assert data["queues"]["mail"] == {**dict.fromkeys(Status, 0), "ready": 1, "dead": 1}
    lines = ask("stats").partition("\n\n")[0].splitlines()
    assert lines[0].split() == ["queue", *Status]
    assert [line.split()[0] for line in lines[1:]] == ["default", "mail", "all"]
    assert lines[-1].split() == ["all", "0", "0", "2", "0", "0", "1", "0"]


def test_stats_of_no_jobs_are_all_zero(ask: Ask) -> None:
    nothing = {"mean": None, "p50": None, "p95": None}
    none = {"runs": 0, "outcomes": dict.fromkeys(AttemptOutcome, 0)}
    assert json.loads(ask("stats", "--json")) == {
        "total": dict.fromkeys(Status, 0),
        "queues": {},
        "last_hour": {
            "total": {**none, "queue_seconds": nothing, "run_seconds": nothing},
            "functions": {},
        },
    }
    assert ask("stats").splitlines()[-1] == "no run has ended in the last hour"


def test_stats_tell_of_the_last_hour_s_runs_by_function(ask: Ask) -> None:
    count("shop.jobs.pay", outcome="completed", runs=3)
    count("shop.jobs.pay", outcome="failed", runs=1)
    count("shop.jobs.mail", outcome="completed", runs=1)
    count("shop.jobs.old", outcome="completed", runs=1, minutes_ago=62)
    hour = json.loads(ask("stats", "--json"))["last_hour"]
    assert list(hour["functions"]) == ["shop.jobs.mail", "shop.jobs.pay"]
    assert hour["functions"]["shop.jobs.pay"]["outcomes"]["failed"] == 1
    assert (hour["total"]["runs"], hour["functions"]["shop.jobs.pay"]["runs"]) == (5, 4)
    assert hour["total"]["run_seconds"] == {"mean": 0.01, "p50": 0.012, "p95": pytest.approx(0.0156)}
    lines = ask("stats").splitlines()
    assert lines[-4].startswith("last hour")
    assert lines[-4].endswith("run p95")
    assert lines[-1].split() == [
        "all",
        "4",
        "1",
        *"0000",
        "0.768",
        "s",
        "0.998",
        "s",
        "0.012",
        "s",
        "0.0156",
        "s",
    ]


def test_the_list_is_newest_first_and_limited(ask: Ask) -> None:
    jobs = [make_job() for _ in range(3)]
    listed = json.loads(ask("list", "--json", "--limit", "2"))
    assert [each["id"] for each in listed] == [str(jobs[2].pk), str(jobs[1].pk)]


def test_jobs_of_one_status_are_listed_by_when_they_came_into_it(ask: Ask) -> None:
    late = make_job(status="dead", run_after=NOW + timedelta(hours=1))
    early = make_job(status="dead")
    listed = json.loads(ask("list", "--json", "--status", "dead"))
    assert [each["id"] for each in listed] == [str(late.pk), str(early.pk)]


@pytest.mark.parametrize(
    ("words", "functions"),
    [
        (["--status", "dead"], {"a.dead"}),
        (["--queue", "mail"], {"b.mail"}),
        (["--function", "mail"], {"b.mail"}),
        (["--function", "B.MAIL"], {"b.mail"}),
        (["--function", "b_mail"], set()),
        (["--queue", "mail", "--status", "dead"], set()),
    ],
)
def test_the_list_is_filtered(ask: Ask, words: list[str], functions: set[str]) -> None:
    make_job(function="a.dead", status="dead")
    make_job(function="b.mail", queue="mail")
    assert {each["function"] for each in json.loads(ask("list", "--json", *words))} == functions


def test_the_list_for_people_has_a_line_a_job(ask: Ask) -> None:
    job = make_job(status="dead", error="ValueError: a\nb")
    head, line = ask("list").splitlines()
    assert head.startswith("id")
    assert line.startswith(str(job.pk))
    assert line.endswith("ValueError: a b")


def test_an_empty_list_says_so(ask: Ask) -> None:
    assert ask("list") == "no job matches\n"
    assert json.loads(ask("list", "--json")) == []


def test_show_tells_everything_about_a_job(ask: Ask) -> None:
    job = make_job(status="dead", attempts=1, error="ValueError: no", result_data='"r"', options='{"a": 1}')
    fail(job, message="no", traceback="Traceback\n  deep line")
    text = ask("show", str(job.pk))
    for word in [
        str(job.pk),
        "dead",
        "1 of 3",
        "attempt 1.1: failed after 2.000 s",
        "ValueError: no",
        "  deep line",
    ]:
        assert word in text
    data = json.loads(ask("show", job.pk.hex, "--json"))
    assert data["args"] == {"args": [42]}
    assert data["result"] == "r"
    assert data["options"] == {"a": 1}
    assert data["attempts_made"][0]["outcome"] == "failed"
    assert data["attempts_made"][0]["duration"] == 2.0
    assert data["errors"][0]["traceback"] == "Traceback\n  deep line"
    assert data["finished_at"] == NOW.isoformat()


def test_show_masks_what_is_sensitive(ask: Ask) -> None:
    args = '{"args":["ada","s3cr3t-0123"],"kwargs":{"pin":987654}}'
    options = '{"sensitive":{"token":1,"pin":null,"return":null}}'
    job = make_job(function="unknown.here", args=args, options=options, result_data='"s3cr3t-0123"')
    said = ask("show", str(job.pk)), ask("show", str(job.pk), "--json")
    for text in said:
        assert "ada" in text
        assert "s3cr3t" not in text
        assert "987654" not in text
    data = json.loads(said[1])
    assert data["args"] == {"args": ["ada", "********"], "kwargs": {"pin": "********"}}
    assert data["result"] == "********"


def test_show_tells_what_a_running_job_says(ask: Ask) -> None:
    job = make_job(status="running", claim_token=7)
    JobNote.objects.create(
        job=job, token=7, updated_at=NOW, progress_current=3, progress_total=4, progress_note="rows\x1b[2J",
        meta='{"seen":[1]}', log="first\nsecond",
    )  # fmt: skip
    text = ask("show", str(job.pk))
    assert "progress:     3 of 4 (75 %), rows\ufffd[2J\n" in text
    assert 'meta:         {"seen":[1]}\n' in text
    assert "the attempt that runs says, 2026" in text
    assert "    first\n    second\n" in text
    data = json.loads(ask("show", str(job.pk), "--json"))
    assert data["progress"] == {"current": 3.0, "total": 4.0, "note": "rows\x1b[2J"}
    assert (data["meta"], data["log"], data["said_at"]) == ({"seen": [1]}, "first\nsecond", NOW.isoformat())


def test_show_tells_the_log_of_each_attempt_once(ask: Ask) -> None:
    job = make_job(status="dead", attempts=1)
    fail(job, message="no")
    Attempt.objects.filter(job=job).update(log="what it did\nbefore it failed")
    JobNote.objects.create(job=job, token=1, updated_at=NOW, log="what it did\nbefore it failed")
    text = ask("show", str(job.pk))
    assert text.count("    log:\n    what it did\n    before it failed") == text.count("what it did") == 1
    data = json.loads(ask("show", str(job.pk), "--json"))
    assert (data["log"], data["attempts_made"][0]["log"]) == (None, "what it did\nbefore it failed")


def test_show_tells_that_a_job_has_not_run(ask: Ask) -> None:
    assert "no attempt has ended yet" in ask("show", str(make_job().pk))


def test_show_tells_an_error_that_has_no_attempt(ask: Ask) -> None:
    job = make_job(status="dead")
    JobError.objects.create(
        job=job, token=1, round=1, number=1, kind="unknown function", exception_type="E", failed_at=NOW
    )
    assert "unknown function: E" in ask("show", str(job.pk))


@pytest.mark.parametrize(
    "bad",
    ["nonsense", "", "1" * 500, "two\nlines", "\x1b[31mred", "'; --", "01a200f0-0000-7000-8000-000000000000"],
)
def test_an_unknown_or_malformed_id_is_said_in_one_line(ask: Ask, bad: str) -> None:
    with pytest.raises(CommandError) as caught:
        ask("show", bad)
    said = str(caught.value)
    assert said.startswith("no job has the id")
    assert "\n" not in said
    assert said.isprintable()
    assert caught.value.returncode == 1


@pytest.mark.parametrize("stored", ["", "{", "NaN", "[" * 5000, '"\\ud800"'])
def test_a_corrupted_payload_is_shown_as_it_stands(ask: Ask, stored: str) -> None:
    job = make_job(args=stored, options=stored, result_data=stored)
    assert json.loads(ask("show", str(job.pk), "--json"))["id"] == str(job.pk)
    assert str(job.pk) in ask("show", str(job.pk))


def test_stored_text_cannot_command_the_terminal(ask: Ask) -> None:
    evil = "\x1b]0;owned\x07\u202e"
    job = make_job(function=evil, queue=evil, error=evil, reason=evil, status="dead")
    fail(job, message=evil, traceback=evil)
    for words in [["list"], ["stats"], ["show", str(job.pk)]]:
        text = ask(*words)
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dance"],
        ["list", "--status", "exploded"],
        ["list", "--limit", "0"],
        ["list", "--limit", "many"],
        ["show"],
    ],
)
def test_wrong_usage_is_refused(ask: Ask, words: list[str]) -> None:
    with pytest.raises(CommandError):
        ask(*words)


def test_a_status_that_is_none_is_answered_with_those_there_are(ask: Ask) -> None:
    with pytest.raises(CommandError, match=r"'exploded'.*ready.*dead") as caught:
        ask("list", "--status", "exploded")
    assert "Status." not in str(caught.value)


def test_a_reason_is_shown_to_its_end(ask: Ask) -> None:
    reason = f"unknown function: no job function is named '{'x' * 100}'; near: shop.jobs.pay"
    assert f"scheduled ({reason})" in ask("show", str(make_job(status="scheduled", reason=reason).pk))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["stats"], 0),
        (["list"], 0),
        (["show", "nonsense"], 1),
        (["show"], 2),
        (["dance"], 2),
        (["cancel"], 2),
    ],
)
def test_a_script_reads_the_exit_code(
    subprocess_environment: dict[str, str], words: list[str], code: int
) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "django", "jobs", *words],
        env=subprocess_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code, run.stderr
    if code == 1:
        assert run.stderr == "CommandError: no job has the id 'nonsense'\n"
