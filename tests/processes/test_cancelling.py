"""Cancelling what a worker holds: running jobs are asked or ended, others never begin, none runs again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from django_jobs import JobCancelled
from django_jobs.models import Attempt, Job, JobError
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, children, is_gone

pytestmark = pytest.mark.django_db(transaction=True)


def _history(job: Job) -> list[tuple[str, int]]:
    return list(Attempt.objects.filter(job=job).order_by("id").values_list("outcome", "number"))


@pytest.mark.parametrize("method", ["fork", "exec"])
@pytest.mark.parametrize("function", [jobs.work_until_cancelled, jobs.await_until_cancelled])
def test_a_running_job_that_listens_is_cancelled_and_not_run_again(
    start_worker: Start, ledger: Ledger, function: Any, method: str
) -> None:
    job = function.using(max_attempts=3).enqueue(str(ledger))
    worker = start_worker("--processes", "1", "--start-method", method)
    worker.until(lambda: ledger.lines)
    assert job.cancel() is True
    (job,) = worker.until_final(job)
    assert (job.status, job.attempts, job.error) == ("cancelled", 1, None)
    assert _history(job) == [("cancelled", 1)]
    assert not JobError.objects.exists()
    assert "SWALLOWED" not in ledger.lines
    assert not is_gone(ledger.pids()[0])  # its runner is as good as before
    after = jobs.note.enqueue(str(ledger), "next")
    worker.until_final(after)
    with pytest.raises(JobCancelled):
        job.result(timeout=0)
    assert f"job {job.id} tests.jobs_that_misbehave.{function.__name__} cancelled on request in" in worker.log
    assert "Traceback" not in worker.log


@pytest.mark.parametrize("hung", [jobs.hold_the_gil, jobs.sleep_long, jobs.await_long, jobs.stubborn_child])
def test_a_job_that_does_not_listen_is_ended_by_force(start_worker: Start, ledger: Ledger, hung: Any) -> None:
    job = hung.using(max_attempts=3, timeout=None).enqueue(str(ledger))
    worker = start_worker("--processes", "1", KILL_AFTER=0.3)
    worker.until(lambda: ledger.lines)
    assert job.cancel(force=True) is True
    (job,) = worker.until_final(job)
    assert all(is_gone(pid) for pid in ledger.pids())
    assert (job.status, job.attempts, job.error) == ("cancelled", 1, None)
    assert _history(job) == [("cancelled", 1)]
    worker.until_final(jobs.note.enqueue(str(ledger), "next"))
    assert ledger.lines[-1] == "next"


def test_a_job_that_was_asked_in_vain_is_ended_when_somebody_asks_by_force(
    start_worker: Start, ledger: Ledger
) -> None:
    job = jobs.spin.using(max_attempts=3, timeout=None).enqueue(str(ledger))
    worker = start_worker("--processes", "1", KILL_AFTER=0.3)
    worker.until(lambda: ledger.lines)
    assert (job.cancel(), job.cancel(), job.cancel(force=True)) == (True, False, True)
    (job,) = worker.until_final(job)
    assert (job.status, _history(job)) == ("cancelled", [("cancelled", 1)])


def test_a_job_that_ignores_the_wish_completes(start_worker: Start, ledger: Ledger, tmp_path: Path) -> None:
    until, other = tmp_path / "until", jobs.work_until_cancelled.enqueue(str(ledger))
    worker = start_worker("--processes", "2")
    worker.until(lambda: ledger.lines)
    job = jobs.hold.enqueue(str(ledger), str(until))
    worker.until(lambda: len(ledger.lines) == 2)
    assert job.cancel()
    assert other.cancel()
    worker.until_final(other)  # by then the worker has heard of both
    until.touch()
    (job,) = worker.until_final(job)
    assert (job.status, job.result(), job.cancel_requested) == ("completed", "held", 0)


def test_a_job_that_fails_when_it_is_asked_is_cancelled_with_its_error(
    start_worker: Start, ledger: Ledger
) -> None:
    job = jobs.fail_when_cancelled.using(max_attempts=3).enqueue(str(ledger))
    worker = start_worker("--processes", "1")
    worker.until(lambda: ledger.lines)
    assert job.cancel()
    (job,) = worker.until_final(job)
    assert (job.status, job.error) == ("cancelled", "ValueError: cancelled in a way of its own")
    assert _history(job) == [("failed", 1)]
    worker.until(lambda: "cancelled in a way of its own; cancelled on request" in worker.log)


@pytest.mark.parametrize("force", [False, True])
def test_a_job_that_waits_in_the_worker_is_cancelled_without_having_run(
    start_worker: Start, ledger: Ledger, tmp_path: Path, force: bool
) -> None:
    until = tmp_path / "until"
    # Claimed ahead behind what seems to be short, until that has lasted long: so it is cancelled at once.
    first = jobs.hold.enqueue(str(ledger), str(until))
    second = jobs.note.enqueue(str(ledger), "second")
    worker = start_worker("--processes", "1", claim_size=2)
    worker.until(lambda: ledger.lines)
    second.cancel(force=force)
    (second,) = worker.until_final(second)
    until.touch()
    worker.until_final(first)
    assert (second.status, second.attempts, _history(second)) == ("cancelled", 0, [])
    assert "second" not in ledger.lines


def test_a_shell_cancels_what_another_process_runs(
    start_worker: Start, ledger: Ledger, subprocess_environment: dict[str, str]
) -> None:
    job = jobs.work_until_cancelled.enqueue(str(ledger))
    worker = start_worker("--processes", "1")
    worker.until(lambda: ledger.lines)
    environment = {
        **subprocess_environment,
        "DJANGO_SETTINGS_MODULE": "tests.processes.settings",
        "PYTHONPATH": os.getcwd(),
    }
    command = [sys.executable, "-m", "django", "jobs", "cancel", str(job.id)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "0 cancelled, 1 asked to end\n"
    (job,) = worker.until_final(job)
    assert job.status == "cancelled"


def test_a_job_whose_worker_is_lost_after_it_was_asked_is_not_run_again(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.hold.using(max_attempts=3).enqueue(str(ledger), str(tmp_path / "never"))
    worker = start_worker("--processes", "1", LEASE=6)
    worker.until(lambda: ledger.lines)
    worker.send(signal.SIGKILL)
    worker.wait()
    assert job.cancel()
    # Its lease is over, as it would be some seconds from now.
    Job.objects.filter(pk=job.pk).update(lease=timezone.now())
    rescuer = start_worker("--processes", "1", LEASE=1)  # on SQLite it watches for as long
    (job,) = rescuer.until_final(job)
    assert job.status == "cancelled"
    assert len(ledger.lines) == 1


def test_a_job_that_was_asked_is_not_run_again_when_its_worker_stops(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.hold.using(max_attempts=3).enqueue(str(ledger), str(tmp_path / "never"))
    worker = start_worker("--processes", "1", "--grace", "0.2")
    worker.until(lambda: ledger.lines)
    assert job.cancel()
    assert worker.stop() == 0
    job.refresh_from_db()
    assert (job.status, _history(job)) == ("cancelled", [("interrupted", 1)])
    assert children(worker.pid) == []
