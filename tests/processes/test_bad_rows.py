"""Rows that something else has spoilt: each makes one dead job, never a dead worker."""

from __future__ import annotations

import pytest
from django.db import connection

from django_jobs.models import Job, JobError
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start

pytestmark = pytest.mark.django_db(transaction=True)

SPOILT_TEXT = [
    ("args", "no JSON"),
    ("args", ""),
    ("args", "[]"),
    ("args", '{"args": 3, "kwargs": {}}'),
    ("args", '{"args": [], "kwargs": []}'),
    ("args", '{"args": [1, 2, 3, 4, 5], "kwargs": {}}'),
    ("args", '{"args": [{"__jobs__": "datetime", "value": "never"}], "kwargs": {}}'),
    ("args", "[" * 50_000),
    ("options", "no JSON"),
    ("options", "[]"),
    ("options", '{"retry_delay": {"kind": "nonsense"}}'),
    ("options", '{"retry_on": 3}'),
]
# Only SQLite stores any type in any column.
SPOILT_TYPES = [
    ("max_attempts", "many"),
    ("max_attempts", 2**62),
    ("timeout", "long"),
    ("priority", "high"),
    ("attempts", "none"),
    ("round", "first"),
    ("args", b"\xff\xfe"),
    ("function", b"\xff"),
    ("options", 7),
    ("interruptions", "often"),
    ("timeout", -1),
]


def _spoil(job: Job, column: str, value: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE django_jobs_job SET {column} = %s WHERE id = %s",
            [value, Job._meta.pk.get_db_prep_value(job.pk, connection)],
        )


@pytest.mark.parametrize("processes", ["1"])
def test_a_spoilt_row_dies_with_a_reason_and_the_others_run(
    start_worker: Start, ledger: Ledger, processes: str
) -> None:
    spoilt = SPOILT_TEXT + (SPOILT_TYPES if connection.vendor == "sqlite" else [])
    bad = [jobs.note.enqueue(str(ledger), "never") for _ in spoilt]
    for job, (column, value) in zip(bad, spoilt, strict=True):
        _spoil(job, column, value)
    good = [jobs.note.enqueue(str(ledger), f"good{number}") for number in range(20)]
    worker = start_worker("--processes", processes)
    worker.until_final(*good, why="good rows do not run beside spoilt ones")
    worker.until(lambda: Job.objects.dead().count() == len(bad), why="not every spoilt row has died")
    assert ledger.lines == [f"good{number}" for number in range(20)]
    for job, (column, value) in zip(bad, spoilt, strict=True):
        assert JobError.objects.filter(job_id=job.pk).exists(), (column, value)
    assert worker.process.poll() is None
    assert worker.stop() == 0


def test_a_spoilt_due_time_keeps_no_ready_job_from_running(start_worker: Start, ledger: Ledger) -> None:
    due_times = ["tomorrow", 7, b"\xff"] if connection.vendor == "sqlite" else ["9999-12-31 00:00:00"]
    spoilt = [jobs.note.enqueue(str(ledger), str(number)) for number, _ in enumerate(due_times)]
    for job, due in zip(spoilt, due_times, strict=True):
        _spoil(job, "run_after", due)
    start_worker("--burst").wait()
    assert len(ledger.lines) == len(due_times)
    assert Job.objects.completed().count() == len(due_times)
