"""What a page says first, what it leaves out, and what it says where there is nothing."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from django_jobs.models import Job, JobError
from tests.admin.conftest import NOW, MakeJob
from tests.admin.pages import list_url, opened, page_url

ALWAYS = ("Status", "Attempts", "Queue", "Function", "Id", "Created", "Timeout", "Arguments")
SOMETIMES = {
    "Due": {"status": "ready"},
    "Ended": {"status": "completed"},
    "Running since": {"started_at": NOW},
    "Held by": {"worker_id": "host:7:ab", "lease": NOW},
    "Cancelling": {"cancel_requested": 1},
    "Reason": {"reason": "no worker knows it"},
    "Current error": {"error": "ValueError: no"},
    "Result": {"result_data": "42"},
    "Round": {"round": 2},
    "Interruptions": {"interruptions": 1},
    "Options": {"options": '{"description": "x"}'},
    "Replay": {"replay_of": "01a2022c-9287-7000-8000-000000000001"},
}


def labelled(label: str, text: str) -> bool:
    """Return whether a value on the page has this label; another package's labels have no colon."""
    return bool(re.search(rf">\s*{label}:?\s*<", text))


@pytest.mark.parametrize("label", sorted(SOMETIMES))
def test_a_job_s_page_shows_only_what_there_is_to_say(
    admin_client: Client, make_job: MakeJob, label: str
) -> None:
    plain = {"status": "cancelled"} if label == "Due" else {"status": "ready"}
    without = opened(admin_client, page_url("job", make_job(**plain).pk))
    having = opened(admin_client, page_url("job", make_job(**{**plain, **SOMETIMES[label]}).pk))
    assert not labelled(label, without)
    assert labelled(label, having)
    assert all(labelled(each, without) for each in ALWAYS)


def test_a_completed_job_without_a_result_says_so(admin_client: Client, make_job: MakeJob) -> None:
    assert labelled("Result", opened(admin_client, page_url("job", make_job(status="completed").pk)))


def test_where_a_job_stands_and_why_comes_before_what_was_enqueued(
    admin_client: Client, dead_job: Job
) -> None:
    text = opened(admin_client, page_url("job", dead_job.pk))
    order = [
        "Requeue</button>",
        "Status",
        "Current error",
        "Attempts and errors",
        "Function",
        "Arguments",
    ]
    places = [text.index(each) for each in order]
    assert places == sorted(places)
    assert text.count("Attempts and errors") == 1


@pytest.mark.parametrize(
    ("status", "said"),
    [("ready", "This job has not run yet."), ("running", "The first attempt is under way.")],
)
def test_a_job_without_attempts_says_why(
    admin_client: Client, make_job: MakeJob, status: str, said: str
) -> None:
    assert said in opened(admin_client, page_url("job", make_job(status=status).pk))


def test_each_button_is_described(admin_client: Client, dead_job: Job) -> None:
    text = opened(admin_client, page_url("job", dead_job.pk))
    assert 'value="replay" aria-describedby="jobs-hint-replay">' in text
    assert '<span id="jobs-hint-replay" class="jobs-hint">Makes a new job' in text


def test_the_page_of_an_error_shows_its_traceback_unfolded(admin_client: Client, dead_job: Job) -> None:
    error = JobError.objects.filter(job=dead_job).latest("id")
    text = opened(admin_client, page_url("joberror", error.pk))
    assert "Traceback (most recent call last)" in text
    assert "<details" not in text.split('id="content"')[1]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("job", "No job is stored"),
        ("attempt", "No attempt is stored"),
        ("joberror", "No error is stored"),
        ("queue", "No queue has jobs, and none is paused."),
        ("workerprocess", "Start one: python manage.py runworker"),
    ],
)
def test_an_empty_list_says_what_would_be_on_it(admin_client: Client, model: str, said: str) -> None:
    assert said in opened(admin_client, list_url(model))


def test_a_list_on_which_nothing_matches_leads_to_all(admin_client: Client, dead_job: Job) -> None:
    text = opened(admin_client, list_url("job", "status=ready"))
    assert 'Nothing matches. <a href="?">Show all</a>' in text
    assert "No job is stored" not in text
