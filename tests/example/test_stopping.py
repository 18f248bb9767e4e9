"""The chapter of jobs that hang: what is told of them is what their rows say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_jobs.models import Attempt, Job
from django_jobs.states import Status
from example_project.airports.demo import stopping, tables
from example_project.hanging import jobs

pytestmark = pytest.mark.django_db


def attempt(job: Job, *, seconds: float, outcome: str, token: int) -> None:
    began = timezone.now()
    Attempt.objects.create(
        job=job,
        token=token,
        round=1,
        number=1,
        outcome=outcome,
        worker_id="w",
        started_at=began,
        finished_at=began + timedelta(seconds=seconds),
    )


def test_each_kind_is_enqueued_once_under_the_limit() -> None:
    hung = stopping.enqueue_kinds()
    assert [job.function for job in hung.order_by("pk")] == [kind.name for kind in stopping.KINDS]
    assert {job.timeout for job in hung} == {jobs.LIMIT}


def test_the_time_shown_is_that_of_the_last_attempt() -> None:
    hung = stopping.enqueue_long()
    attempt(hung.get(), seconds=40, outcome="interrupted", token=1)
    attempt(hung.get(), seconds=2.34, outcome="timed out", token=2)
    (ending,) = stopping.endings(hung)
    assert ending == ("time.sleep(600)", pytest.approx(2.34), "timed out", "ready")
    assert tables.endings([ending]).splitlines()[-1].split() == [
        "time.sleep(600)",
        "2.34",
        "s",
        "timed",
        "out",
        "ready",
    ]


def test_a_job_that_did_not_run_has_no_time() -> None:
    assert tables.endings(stopping.endings(stopping.enqueue_long())).splitlines()[-1].split() == [
        "time.sleep(600)",
        "none",
        "none",
        "ready",
    ]


def test_a_job_that_was_not_ended_is_a_surprise() -> None:
    hung = stopping.enqueue_kinds()
    told = list(stopping.surprises(hung, expected=Status.DEAD))
    assert len(told) == len(stopping.KINDS)
    assert "is ready, not dead" in told[0]


def test_what_an_earlier_demo_has_left_hanging_is_ended_and_nothing_else() -> None:
    left = stopping.enqueue_long().get()
    other = jobs.wait_ten_minutes.using(queue="elsewhere").enqueue()
    stopping.end_leftovers()
    left.refresh_from_db()
    other.refresh_from_db()
    assert (left.status, other.status) == (Status.CANCELLED, Status.READY)
