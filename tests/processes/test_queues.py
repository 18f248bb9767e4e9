"""Which queues a running worker serves: named, matched by a pattern, paused meanwhile."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from django_jobs import pause_queue, resume_queue
from django_jobs.models import Attempt, Job
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, WorkerProcess

pytestmark = pytest.mark.django_db(transaction=True)

# So long after a pause (seconds) no worker may claim from the queue any more.
PROMISE = 1.0


def pass_the_promise(worker: WorkerProcess) -> None:
    """Let the time pass within which a worker has to obey."""
    end = time.monotonic() + PROMISE
    worker.until(lambda: time.monotonic() > end)


def test_a_worker_of_a_pattern_serves_what_matches_and_is_not_excluded(
    start_worker: Start, ledger: Ledger
) -> None:
    for queue in ("default", "mail", "mail-slow", "mail-old", "reports", "Mail"):
        jobs.note.using(queue=queue).enqueue(str(ledger), queue)
    worker = start_worker("--burst", "--queues", "reports,mail*", "--exclude", "*-old")
    assert worker.wait() == 0
    assert sorted(ledger.lines) == ["mail", "mail-slow", "reports"]
    assert "serves mail*, reports except *-old" in worker.log
    assert set(Job.objects.ready().values_list("queue", flat=True)) == {"default", "mail-old", "Mail"}


def test_a_queue_that_begins_later_is_served_if_it_matches(start_worker: Start, ledger: Ledger) -> None:
    worker = start_worker("--queues", "mail*")
    worker.until_final(jobs.note.using(queue="mail").enqueue(str(ledger), "first"))
    worker.until_final(jobs.note.using(queue="mail-slow").enqueue(str(ledger), "second"))
    assert worker.stop() == 0


def test_of_a_paused_queue_nothing_begins_and_what_runs_goes_on(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    worker = start_worker()
    running = jobs.hold.using(queue="mail").enqueue(str(ledger), f"{tmp_path}/go")
    worker.until(lambda: ledger.lines)
    assert pause_queue("mail") is True
    pass_the_promise(worker)
    waiting = jobs.note.using(queue="mail", priority=9).enqueue(str(ledger), "late")
    worker.until_final(jobs.note.enqueue(str(ledger), "other queue"))
    (tmp_path / "go").touch()
    worker.until_final(running)
    waiting.refresh_from_db()
    assert waiting.status == "ready"
    assert resume_queue("mail") is True
    worker.until_final(waiting)
    assert Attempt.objects.filter(job__in=[running.pk, waiting.pk], outcome="completed").count() == 2
    assert worker.stop() == 0


def test_a_busy_worker_obeys_a_pause(start_worker: Start, ledger: Ledger) -> None:
    jobs.nap.using(queue="mail").enqueue_many([(str(ledger), 0.005)] * 3_000)
    worker = start_worker()
    worker.until(lambda: len(ledger.lines) > 10)
    pause_queue("mail")
    pass_the_promise(worker)
    # What it had taken ahead is still on its way back, or runs.
    worker.until(lambda: not Job.objects.running().exists())
    left = Job.objects.ready().count()
    assert left > 0
    worker.until_final(jobs.note.enqueue(str(ledger), "other queue"))
    worker.until(lambda: not Job.objects.running().exists())
    assert Job.objects.ready().count() == left
    assert worker.stop() == 0


def test_a_burst_worker_ends_beside_a_paused_queue(start_worker: Start, ledger: Ledger) -> None:
    pause_queue("mail")
    jobs.note.using(queue="mail").enqueue(str(ledger), "never")
    assert start_worker("--burst").wait() == 0
    assert ledger.lines == []


def test_what_a_worker_had_taken_ahead_is_given_back(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    # Short jobs make a worker take many at a time; these turn out long.
    jobs.note.using(queue="mail").enqueue_many([(f"{tmp_path}/short", "done")] * 200)
    jobs.hold.using(queue="mail").enqueue_many([(str(ledger), f"{tmp_path}/go")] * 100)
    imports = ["tests.jobs_that_misbehave", "tests.processes.holds_ahead"]
    worker = start_worker(LEASE=2, IMPORTS=imports)
    worker.until(lambda: len(ledger.lines) == 2 and Job.objects.running().count() > 2)
    pause_queue("mail")
    worker.until(lambda: Job.objects.running().count() == 2)
    (tmp_path / "go").touch()
    worker.until(lambda: not Job.objects.running().exists())
    assert [line.split()[0] for line in ledger.lines] == ["START", "START", "END", "END"]
    assert Job.objects.ready().count() == 98
    assert worker.stop() == 0
