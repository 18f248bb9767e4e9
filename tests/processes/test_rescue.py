"""Workers that die: their jobs are run by others, and a worker that lives keeps its own."""

from __future__ import annotations

import signal
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F

from django_jobs.models import Attempt, Job, JobError
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, children, is_gone

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_job_of_a_killed_worker_is_run_by_another(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
    doomed = start_worker(LEASE=1.5)
    doomed.until(lambda: Job.objects.filter(started_at__isnull=False).exists())
    processes = [pid for nursery in children(doomed.pid) for pid in (nursery, *children(nursery))]
    doomed.send(signal.SIGKILL)
    doomed.wait()
    doomed.until(lambda: all(is_gone(pid) for pid in processes))
    (tmp_path / "go").touch()
    heir = start_worker(LEASE=1.5)
    (job,) = heir.until_final(job)
    assert (job.status, job.attempts) == ("completed", 2)
    error = JobError.objects.get(job=job)
    assert error.kind == "crash"
    assert error.worker != Attempt.objects.get(job=job, outcome="completed").worker_id


def test_a_job_that_had_hardly_started_is_taken_over_uncharged(start_worker: Start, ledger: Ledger) -> None:
    # It does so itself, the first thing: a test that was held up would kill one whose job has run for long.
    job = jobs.kill_my_worker_once.enqueue(str(ledger))
    assert start_worker(LEASE=2).wait() == -signal.SIGKILL
    (job,) = start_worker(LEASE=2).until_final(job)
    assert (job.status, job.attempts, job.interruptions) == ("completed", 1, 1)
    assert sorted(job.attempt_set.values_list("number", "outcome")) == [(1, "completed"), (1, "interrupted")]
    assert not job.errors.exists()


@pytest.mark.only_on("sqlite")
@pytest.mark.faults(from_tier=1)
def test_workers_that_each_live_for_less_than_a_lease_take_over_together(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
    doomed = start_worker(LEASE=2)
    doomed.until(lambda: ledger.lines)
    doomed.send(signal.SIGKILL)
    doomed.wait()
    (tmp_path / "go").touch()
    lives = 0
    while not Job.objects.filter(pk=job.pk, status="completed").exists():
        lives += 1
        assert lives <= 20
        assert start_worker("--max-seconds", "1.5", LEASE=2, RESCUE_INTERVAL=0.3).wait() == 0
    assert lives > 1


def test_runners_end_with_a_worker_that_is_killed(start_worker: Start, ledger: Ledger) -> None:
    jobs.stubborn_child.enqueue(str(ledger))
    worker = start_worker()
    worker.until(lambda: ledger.lines)
    worker.send(signal.SIGKILL)
    worker.wait()
    worker.until(lambda: all(map(is_gone, ledger.pids())), why="a run has outlived its worker")


def test_a_long_job_keeps_its_lease_over_many_renewals(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
    first, second = start_worker(LEASE=1), start_worker(LEASE=1)
    several_leases = timedelta(seconds=4)
    first.until(lambda: Job.objects.filter(pk=job.pk, lease__gt=F("run_after") + several_leases).exists())
    (tmp_path / "go").touch()
    second.until_final(job)
    assert [line.split()[0] for line in ledger.lines] == ["START", "END"]
    assert job.attempt_set.count() == 1
