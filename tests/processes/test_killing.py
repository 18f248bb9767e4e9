"""Jobs that take their runner along: they are told apart, and the next job runs."""

from __future__ import annotations

import os
import signal

import pytest

from django_jobs.models import JobError
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import SOON, Ledger, Start, children, is_gone

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_neighbour_of_a_killed_job_goes_on(start_worker: Start, ledger: Ledger, tmp_path: object) -> None:
    go = f"{tmp_path}/go"
    neighbour = jobs.hold.enqueue(str(ledger), go, "neighbour")
    worker = start_worker("--processes", "2")
    worker.until(lambda: ledger.lines)
    hung = jobs.spin.using(timeout=SOON).enqueue(str(ledger))
    worker.until_final(hung)
    open(go, "w").close()
    worker.until_final(neighbour)
    assert [line.split()[0] for line in ledger.lines] == ["START", "START", "END"]
    assert neighbour.attempt_set.count() == 1


@pytest.mark.parametrize(
    ("how", "argument", "said"),
    [
        (jobs.exit_at_once, 3, "its runner exited with code 3"),
        (jobs.exit_at_once, 0, "its runner exited with code 0"),
        (jobs.kill_myself, signal.SIGKILL, "its runner was killed by SIGKILL"),
        (jobs.kill_myself, signal.SIGABRT, "its runner was killed by SIGABRT"),
    ],
)
def test_a_dead_runner_is_a_crash_that_names_the_cause(
    start_worker: Start, ledger: Ledger, how: jobs.kill_myself, argument: int, said: str
) -> None:
    job = how.using(max_attempts=2, retry_delay=0.05).enqueue(int(argument))
    worker = start_worker("--processes", "1")
    (job,) = worker.until_final(job)
    assert (job.status, job.attempts) == ("dead", 2)
    assert [(error.kind, error.message) for error in job.errors] == [("crash", said)] * 2
    after = jobs.note.enqueue(str(ledger), "next")
    worker.until_final(after)
    assert worker.stop() == 0


def test_a_segmentation_fault_is_a_crash(start_worker: Start) -> None:
    job = jobs.read_nowhere.enqueue()
    (job,) = start_worker().until_final(job)
    assert JobError.objects.get(job=job).message == "its runner was killed by SIGSEGV"


@pytest.mark.parametrize("how", ["exit", "interrupt", "generator"])
def test_what_is_no_exception_ends_the_job_and_not_the_runner(start_worker: Start, how: str) -> None:
    job = jobs.leave.enqueue(how)
    worker = start_worker("--processes", "1", "--burst")
    worker.wait()
    job.refresh_from_db()
    assert job.status == "dead"
    assert JobError.objects.get(job=job).message == "leaving"


def test_errors_that_cannot_be_told_are_told_anyway(start_worker: Start) -> None:
    unspeakable, deep, dirty = (
        function.enqueue() for function in (jobs.raise_unspeakable, jobs.recurse, jobs.raise_dirty_text)
    )
    start_worker("--burst").wait()
    told = {error.job_id: error for error in JobError.objects.all()}
    assert "its __str__ raised RuntimeError" in told[unspeakable.pk].message
    assert told[deep.pk].exception_type == "RecursionError"
    assert "\0" not in told[dirty.pk].message
    assert len(told[dirty.pk].message.encode()) < 17_000
    assert "truncated" in told[dirty.pk].message


def test_many_crashes_among_good_jobs_lose_none(start_worker: Start, ledger: Ledger) -> None:
    good = [jobs.note.enqueue(str(ledger), f"good{n}") for n in range(200)]
    bad = [jobs.kill_myself.enqueue(int(signal.SIGKILL)) for _ in range(6)]
    more = [jobs.note.enqueue(str(ledger), f"more{n}") for n in range(200)]
    worker = start_worker("--burst", "--processes", "3")
    worker.wait()
    assert {job.status for job in worker.until_final(*good, *more)} == {"completed"}
    assert {job.status for job in worker.until_final(*bad)} == {"dead"}
    assert sorted(ledger.lines) == sorted([f"good{n}" for n in range(200)] + [f"more{n}" for n in range(200)])


def test_a_transaction_left_open_does_not_reach_the_next_job(start_worker: Start) -> None:
    first, second = jobs.leave_transaction_open.enqueue(), jobs.read_database.enqueue()
    start_worker("--burst", "--processes", "1").wait()
    assert first.result(timeout=0) is None
    assert second.result(timeout=0) is True


def test_the_worker_goes_on_without_its_nursery(
    start_worker: Start, ledger: Ledger, tmp_path: object
) -> None:
    interrupted = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
    worker = start_worker("--processes", "1")
    worker.until(lambda: ledger.lines)
    (nursery,) = children(worker.pid)
    runner = ledger.pids()[0]
    open(f"{tmp_path}/go", "w").close()
    os.kill(nursery, signal.SIGKILL)
    worker.until(lambda: is_gone(runner))
    worker.until_final(interrupted, jobs.note.enqueue(str(ledger), "next"))
    assert "the nursery died" in worker.log
    # In which order is open: the interrupted job may come back before or after the next one is claimed.
    assert {"END held", "next"} <= set(ledger.lines)
    assert worker.stop() == 0
