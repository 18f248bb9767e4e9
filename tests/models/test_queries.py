from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_jobs.models import Job
from django_jobs.states import FINAL, PENDING, Status

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def make(status: Status, *, queue: str = "default", after: int = 0) -> Job:
    return Job.objects.create(
        function="tests.jobs.add",
        queue=queue,
        status=status,
        run_after=NOW + timedelta(seconds=after),
        args=json.dumps({"args": [], "kwargs": {}}),
    )


@pytest.mark.parametrize("status", list(Status))
def test_each_state_has_a_way_to_read_it(status):
    for each in Status:
        make(each)
    assert [job.status for job in getattr(Job.objects, status.value)()] == [status]


def test_pending_is_waiting_scheduled_and_ready():
    for each in Status:
        make(each)
    assert {job.status for job in Job.objects.pending()} == PENDING


def test_dead_letters_come_newest_first():
    first, third, second = (make(Status.DEAD, after=after) for after in (1, 3, 2))
    make(Status.COMPLETED, after=4)
    assert list(Job.objects.dead()) == [third, second, first]


def test_stats_name_every_status_overall_and_by_queue(django_assert_num_queries):
    for status, queue in [(Status.READY, "mail"), (Status.READY, "mail"), (Status.DEAD, "default")]:
        make(status, queue=queue)
    with django_assert_num_queries(1):
        stats = Job.objects.stats()
    zeros = {status.value: 0 for status in Status}
    assert stats == {
        "total": {**zeros, "ready": 2, "dead": 1},
        "queues": {"default": {**zeros, "dead": 1}, "mail": {**zeros, "ready": 2}},
    }


def test_stats_of_no_jobs_are_zeros():
    assert Job.objects.stats() == {"total": {status.value: 0 for status in Status}, "queues": {}}


def test_stats_count_what_the_query_selects():
    make(Status.READY, queue="mail")
    make(Status.READY)
    assert Job.objects.filter(queue="mail").stats()["total"]["ready"] == 1


def test_reading_offers_no_way_to_write_a_state():
    names = {name for name in vars(type(Job.objects.all())) if not name.startswith("_")}
    assert names == {*(status.value for status in Status), "find", "held", "pending", "stats"}


@pytest.mark.parametrize("status", list(Status))
def test_only_a_final_job_has_a_finish(status):
    job = make(status)
    assert job.is_final == (status in FINAL)
    assert job.finished_at == (NOW if status in FINAL else None)


@pytest.mark.only_on("sqlite", "mariadb")
def test_counting_goes_along_an_index_and_sorts_nothing():
    make(Status.READY)
    explain = {"sqlite": "EXPLAIN QUERY PLAN "}.get(connection.vendor, "EXPLAIN ")
    with CaptureQueriesContext(connection) as sent:
        Job.objects.stats()
    with connection.cursor() as cursor:
        cursor.execute(explain + sent.captured_queries[0]["sql"])
        plan = str(cursor.fetchall())
    assert "django_jobs_claim" in plan
    assert "COVERING INDEX" in plan or "Using index" in plan
    assert not any(word in plan for word in ("TEMP B-TREE", "temporary", "filesort"))
