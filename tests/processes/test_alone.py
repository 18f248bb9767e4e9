"""A job that was interrupted five times runs alone: its next death is its own, and nobody else's."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from django_jobs.models import Job, JobError
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import SOON, Ledger, Start, WorkerProcess, children, is_gone

pytestmark = pytest.mark.django_db(transaction=True)

METHODS = pytest.mark.parametrize("method", ["fork", "exec"])


def _often(function: Any, *args: Any) -> Job:
    """Enqueue a job as if it had been interrupted so often that it runs alone."""
    with transaction.atomic():  # a worker that is running must not see it before
        job: Job = function.enqueue(*args)
        Job.objects.filter(pk=job.pk).update(interruptions=5)
    return job


def _runners(worker: WorkerProcess, method: str) -> set[int]:
    makers = [worker.pid] if method == "exec" else children(worker.pid)
    return {runner for maker in makers for runner in children(maker)}


@METHODS
def test_it_shares_its_runner_with_no_other_job(start_worker: Start, ledger: Ledger, method: str) -> None:
    alone = _often(jobs.note_pid, str(ledger))
    others = [jobs.note_pid.enqueue(str(ledger)) for _ in range(20)]
    worker = start_worker("--processes", "1", "--start-method", method)
    worker.until_final(alone, *others)
    shared = {job.result(timeout=0) for job in others}
    assert len(shared) == 1
    assert alone.result(timeout=0) not in shared
    worker.until(lambda: _runners(worker, method) == shared)
    # The next one has a runner of its own again.
    again = _often(jobs.note_pid, str(ledger))
    worker.until_final(again)
    assert again.result(timeout=0) not in {*shared, alone.result(timeout=0)}
    assert worker.stop() == 0


@METHODS
def test_the_others_run_meanwhile_and_one_of_its_kind_waits(
    start_worker: Start, ledger: Ledger, tmp_path: Path, method: str
) -> None:
    go = tmp_path / "go"
    first = _often(jobs.hold.using(priority=2), str(ledger), str(go), "first")
    second = _often(jobs.hold.using(priority=1), str(ledger), str(go), "second")
    worker = start_worker("--processes", "1", "--start-method", method)
    worker.until(lambda: ledger.lines)
    waiting = Job.objects.filter(pk=second.pk, reason="waits to run alone")
    worker.until(waiting.exists)
    worker.until_final(*[jobs.note.enqueue(str(ledger), f"other{number}") for number in range(10)])
    go.touch()
    worker.until_final(first, second)
    ends = [line for line in ledger.lines if "START" in line or "END" in line]
    assert [line.split()[:2] for line in ends] == [
        ["START", "first"],
        ["END", "first"],
        ["START", "second"],
        ["END", "second"],
    ]
    assert len({line.split()[2] for line in ends if "START" in line}) == 2


def test_a_worker_that_is_to_end_when_nothing_is_due_runs_the_one_that_waits(
    start_worker: Start, ledger: Ledger
) -> None:
    both = [_often(jobs.note_pid, str(ledger)) for _ in range(2)]
    worker = start_worker("--processes", "1", "--burst")
    assert worker.wait() == 0
    assert {str(Job.objects.get(pk=job.pk).status) for job in both} == {"completed"}


def test_its_death_is_charged(start_worker: Start, ledger: Ledger) -> None:
    job = _often(jobs.kill_myself.using(max_attempts=2, retry_delay=0), int(signal.SIGKILL))
    worker = start_worker("--processes", "1")
    (job,) = worker.until_final(job)
    assert (job.status, job.attempts, job.interruptions) == ("dead", 2, 5)
    assert {error.message for error in JobError.objects.all()} == {"its runner was killed by SIGKILL"}
    worker.until_final(_often(jobs.note, str(ledger), "next"))
    assert worker.stop() == 0


def test_the_death_of_its_worker_is_charged_however_soon_it_comes(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = _often(jobs.hold.using(max_attempts=1), str(ledger), str(tmp_path / "go"))
    worker = start_worker(LEASE=1)
    worker.until(lambda: ledger.lines)
    worker.send(signal.SIGKILL)
    (job,) = start_worker(LEASE=1).until_final(job)
    assert (job.status, job.attempts, job.interruptions) == ("dead", 1, 5)


def test_the_death_of_another_runner_does_not_reach_it(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    job = _often(jobs.hold, str(ledger), str(go))
    worker = start_worker("--processes", "2")
    worker.until(lambda: ledger.lines)
    worker.until_final(*[jobs.kill_myself.enqueue(int(signal.SIGKILL)) for _ in range(4)])
    go.touch()
    (job,) = worker.until_final(job)
    assert (job.status, job.attempts) == ("completed", 1)
    assert job.attempt_set.count() == 1


def test_it_can_be_stopped_and_cancelled_like_others(start_worker: Start, ledger: Ledger) -> None:
    hung = _often(jobs.spin.using(timeout=SOON), str(ledger))
    worker = start_worker("--processes", "1", KILL_AFTER=0.5)
    (hung,) = worker.until_final(hung)
    assert (hung.status, hung.attempts) == ("dead", 1)
    assert is_gone(ledger.pids()[0])
    cancelled = _often(jobs.spin.using(timeout=None), str(ledger))
    worker.until(lambda: len(ledger.lines) == 2)
    cancelled.cancel(force=True)
    (cancelled,) = worker.until_final(cancelled)
    assert cancelled.status == "cancelled"
    assert is_gone(ledger.pids(1)[0])


@METHODS
def test_a_worker_that_stops_gives_it_back(
    start_worker: Start, ledger: Ledger, tmp_path: Path, method: str
) -> None:
    running = _often(jobs.hold.using(priority=1), str(ledger), str(tmp_path / "go"))
    waiting = _often(jobs.hold, str(ledger), str(tmp_path / "go"))
    worker = start_worker("--grace", "0.1", "--start-method", method)
    worker.until(lambda: ledger.lines)
    assert worker.stop() == 0
    assert is_gone(ledger.pids()[0])
    found: dict[Any, Job] = Job.objects.in_bulk([running.pk, waiting.pk])
    assert not [job for job in found.values() if job.status not in ("ready", "scheduled")]
    assert (found[running.pk].interruptions, found[waiting.pk].interruptions) == (6, 5)


def test_it_is_run_again_alone_when_the_nursery_has_died(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    job = _often(jobs.hold, str(ledger), str(go))
    worker = start_worker("--processes", "1")
    worker.until(lambda: ledger.lines)
    (nursery,) = children(worker.pid)
    go.touch()
    os.kill(nursery, signal.SIGKILL)
    (job,) = worker.until_final(job)
    other = jobs.note_pid.enqueue(str(ledger))
    worker.until_final(other)
    assert job.interruptions <= 6  # it may have ended before it was killed
    assert other.result(timeout=0) not in {pid for line in range(2) for pid in ledger.pids(line)}
    assert worker.stop() == 0
