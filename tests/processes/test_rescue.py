"""Workers that die or freeze: their jobs are run by others, and what they say later does not count."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from django_jobs.models import Attempt, Job, JobError
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, WorkerProcess, children, is_gone

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


def test_a_job_that_had_hardly_started_is_taken_over_uncharged(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
    doomed = start_worker(LEASE=1)
    doomed.until(lambda: ledger.lines)
    doomed.send(signal.SIGKILL)
    doomed.wait()
    (tmp_path / "go").touch()
    (job,) = start_worker(LEASE=1).until_final(job)
    assert (job.status, job.attempts, job.interruptions) == ("completed", 1, 1)
    assert sorted(job.attempt_set.values_list("number", "outcome")) == [(1, "completed"), (1, "interrupted")]
    assert not job.errors.exists()


def test_a_frozen_worker_can_write_nothing_when_it_wakes(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go", "late")
    frozen = start_worker("--processes", "1", LEASE=1)
    frozen.until(lambda: ledger.lines)
    # The runner goes on while its parent sleeps: its result arrives when the job is another's.
    nursery = children(frozen.pid)[0]
    frozen.until(lambda: _frozen_without_locks(frozen, job))
    os.kill(nursery, signal.SIGSTOP)
    frozen.until(lambda: _lease_passed(job))
    heir = start_worker("--processes", "1", LEASE=1)
    heir.until(lambda: len(ledger.lines) == 2)
    (tmp_path / "go").touch()
    (job,) = heir.until_final(job)
    winner = Attempt.objects.get(job=job, outcome="completed").worker_id
    os.kill(nursery, signal.SIGCONT)
    frozen.send(signal.SIGCONT)
    frozen.until_final(jobs.note.enqueue(str(ledger), "after"))
    assert frozen.stop() == 0
    job.refresh_from_db()
    assert (job.status, job.result(timeout=0)) == ("completed", "late")
    assert list(job.attempt_set.filter(outcome="completed").values_list("worker_id", flat=True)) == [winner]


def _frozen_without_locks(worker: WorkerProcess, job: Job) -> bool:
    """Freeze the worker; let it go on if that was in a transaction, whose locks would freeze all others."""
    worker.send(signal.SIGSTOP)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA busy_timeout = 100")
                cursor.execute("UPDATE django_jobs_job SET reason = reason WHERE 0")
            Job.objects.select_for_update(nowait=True).get(pk=job.pk)
    except OperationalError:
        worker.send(signal.SIGCONT)
        return False
    return True


def _lease_passed(job: Job) -> bool:
    return Job.objects.filter(pk=job.pk, lease__lt=timezone.now()).exists()


def test_runners_end_with_a_worker_that_is_killed(start_worker: Start, ledger: Ledger) -> None:
    jobs.stubborn_child.enqueue(str(ledger))
    worker = start_worker()
    worker.until(lambda: ledger.lines)
    worker.send(signal.SIGKILL)
    worker.wait()
    worker.until(lambda: all(is_gone(pid) for pid in ledger.pids()))


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
