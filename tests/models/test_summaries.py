"""Counters as they are read: added up, by time, whether folded or not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_jobs.models import Counter
from django_jobs.states import AttemptOutcome

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def count(**columns: Any) -> Counter:
    """Store a counter of two runs of 3 ms, after a second and a half together in the queue."""
    plain = {
        "minute": NOW,
        "worker_id": "",
        "function": "tests.jobs.add",
        "queue": "default",
        "outcome": "completed",
        "runs": 2,
        "queue_seconds": 1.5,
        "run_seconds": 0.006,
        "queue_histogram": '{"10":2}',
        "run_histogram": '{"2":2}',
    }
    return Counter.objects.create(**{**plain, **columns})


def test_counters_are_added_up_whether_folded_or_not() -> None:
    count()
    count(worker_id="w1")
    count(worker_id="w1", minute=NOW + timedelta(minutes=1), outcome="failed", runs=1)
    summary = Counter.objects.since(NOW).summary()
    assert summary.outcomes == {**dict.fromkeys(AttemptOutcome, 0), "completed": 4, "failed": 1}
    assert (summary.runs, summary.queue.count, summary.queue.seconds) == (5, 6, 4.5)
    assert summary.run.percentile(50) == pytest.approx(0.003)


def test_since_begins_with_the_minute_that_the_moment_lies_in() -> None:
    before, within = count(minute=NOW - timedelta(minutes=1)), count()
    open_ones = [count(worker_id="w1", minute=each.minute) for each in (before, within)]
    found = Counter.objects.since(NOW + timedelta(seconds=59))
    assert set(found) == {within, open_ones[1]}


def test_the_last_hour_is_sixty_minutes_and_the_one_that_has_begun() -> None:
    minute = timezone.now().replace(second=0, microsecond=0)
    recent = {count(minute=minute - timedelta(minutes=ago)) for ago in (0, 59)}
    count(minute=minute - timedelta(minutes=62))
    assert set(Counter.objects.last_hour()) == recent


def test_functions_and_queues_are_told_apart() -> None:
    count()
    count(queue="mail", runs=7)
    count(function="tests.jobs.a")
    by_function = Counter.objects.all().summary_by("function")
    assert [(name, each.runs) for name, each in by_function.items()] == [
        ("tests.jobs.a", 2),
        ("tests.jobs.add", 9),
    ]
    assert {name: each.runs for name, each in Counter.objects.all().summary_by("queue").items()} == {
        "default": 4,
        "mail": 7,
    }


def test_no_counters_come_to_nothing() -> None:
    summary = Counter.objects.last_hour().summary()
    assert (summary.runs, summary.run.mean, summary.run.percentile(95)) == (0, None, None)
