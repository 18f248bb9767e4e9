"""Several jobs at once in a runner: each has its limits and its end, and none harms its neighbours."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from django_jobs.models import Attempt, Job, JobError, WorkerProcess
from tests import jobs_that_misbehave as jobs
from tests.processes import conftest
from tests.processes.conftest import SOON, Ledger, Start, is_gone

pytestmark = pytest.mark.django_db(transaction=True)

METHODS = ["fork", "exec"]
TOO_LONG = f"ran longer than its timeout of {SOON:g} s"


def _history(job: Job) -> list[tuple[str, int]]:
    return list(Attempt.objects.filter(job=job).order_by("id").values_list("outcome", "number"))


def _meeting(ledger: Ledger, *, size: int, until: Path | str = "") -> list[Job]:
    """Enqueue jobs that wait for one another, and then for a file."""
    return jobs.meet.enqueue_many([(str(ledger), f"no{one}", size, str(until)) for one in range(size)])


def _wait_for(worker: conftest.WorkerProcess, ledger: Ledger, lines: int) -> None:
    worker.until(lambda: sum(line.startswith("START") for line in ledger.lines) >= lines)


@pytest.mark.parametrize("method", METHODS)
def test_so_many_threads_run_so_many_jobs_at_once_in_one_process(
    start_worker: Start, ledger: Ledger, method: str
) -> None:
    enqueued = _meeting(ledger, size=8)
    worker = start_worker("--processes", "1", "--threads", "8", "--start-method", method)
    results = [job.result(timeout=0) for job in worker.until_final(*enqueued)]
    assert len({result["pid"] for result in results}) == 1
    assert len({result["thread"] for result in results}) == 8
    assert [result["id"] for result in results] == [str(job.id) for job in enqueued]
    assert "with 1 runners of 8 threads" in worker.log


@pytest.mark.parametrize("method", METHODS)
def test_coroutines_run_at_once_on_one_loop(start_worker: Start, ledger: Ledger, method: str) -> None:
    size = 50
    enqueued = jobs.meet_in_a_coroutine.enqueue_many([(str(ledger), f"no{one}", size) for one in range(size)])
    worker = start_worker("--processes", "1", "--threads", str(size), "--start-method", method)
    results = [job.result(timeout=0) for job in worker.until_final(*enqueued)]
    assert len({(result["pid"], result["thread"], result["loop"]) for result in results}) == 1
    assert [result["id"] for result in results] == [str(job.id) for job in enqueued]


def test_coroutines_use_connections_that_no_other_job_uses(start_worker: Start, ledger: Ledger) -> None:
    enqueued = jobs.ask_from_a_coroutine.enqueue_many([(str(ledger),)] * 12)
    worker = start_worker("--processes", "1", "--threads", "3")
    results = [job.result(timeout=0) for job in worker.until_final(*enqueued)]
    assert results == [["running", "running", True]] * 12


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("hung", [jobs.hold_the_gil, jobs.sleep_long])
def test_one_that_hears_nothing_is_gone_and_its_neighbours_run_again(
    start_worker: Start, ledger: Ledger, tmp_path: Path, hung: Any, method: str
) -> None:
    neighbours = _meeting(ledger, size=7, until=tmp_path / "until")
    worker = start_worker("--processes", "1", "--threads", "8", "--start-method", method, KILL_AFTER=0.3)
    _wait_for(worker, ledger, 7)
    job = hung.using(timeout=SOON).enqueue(str(ledger))
    _wait_for(worker, ledger, 8)
    first = ledger.pids()[0]
    (job,) = worker.until_final(job)
    assert is_gone(first)
    assert job.status == "dead"
    assert JobError.objects.get(job=job).message == f"{TOO_LONG} and was killed"
    (tmp_path / "until").touch()
    for neighbour in worker.until_final(*neighbours):
        assert (neighbour.status, neighbour.attempts, neighbour.interruptions) == ("completed", 1, 1)
        assert _history(neighbour) == [("interrupted", 1), ("completed", 1)]
        assert neighbour.result(timeout=0)["pid"] != first


@pytest.mark.parametrize("hung", [jobs.spin_in_a_loop, jobs.await_long])
def test_one_that_is_stopped_by_an_exception_leaves_its_neighbours_alone(
    start_worker: Start, ledger: Ledger, tmp_path: Path, hung: Any
) -> None:
    neighbours = _meeting(ledger, size=7, until=tmp_path / "until")
    worker = start_worker("--processes", "1", "--threads", "8", KILL_AFTER=10)
    _wait_for(worker, ledger, 7)
    job = hung.using(timeout=SOON).enqueue(str(ledger))
    # It is told of although its neighbours go on,
    (job,) = worker.until_final(job)
    assert (job.status, ledger.lines[-1]) == ("dead", "CLEANED")
    error = JobError.objects.get(job=job)
    assert (error.kind, error.message) == ("timeout", f"{TOO_LONG} and was stopped")
    assert hung.function.__name__ in error.traceback
    # and they keep none of the slots.
    eight = _meeting(ledger, size=8)
    second = {job.result(timeout=0)["pid"] for job in worker.until_final(*eight)}
    (tmp_path / "until").touch()
    for neighbour in worker.until_final(*neighbours):
        assert (neighbour.status, neighbour.attempts, neighbour.interruptions) == ("completed", 1, 0)
        assert _history(neighbour) == [("completed", 1)]
    (first,) = {neighbour.result(timeout=0)["pid"] for neighbour in neighbours}
    assert second != {first}
    worker.until(lambda: is_gone(first))


def test_neighbours_of_one_that_was_stopped_keep_their_limits(start_worker: Start, ledger: Ledger) -> None:
    first = jobs.await_long.using(timeout=SOON).enqueue(str(ledger))
    second = jobs.await_long.using(timeout=4 * SOON).enqueue(str(ledger))
    worker = start_worker("--processes", "1", "--threads", "2", KILL_AFTER=10)
    (first,) = worker.until_final(first)
    second.refresh_from_db()
    assert second.status == "running"
    (second,) = worker.until_final(second)
    assert _history(first) == _history(second) == [("timed out", 1)]
    assert len({ledger.pids(line)[0] for line in (0, 1)}) == 1


@pytest.mark.parametrize("function", [jobs.work_until_cancelled, jobs.await_until_cancelled])
def test_one_of_several_is_cancelled(
    start_worker: Start, ledger: Ledger, tmp_path: Path, function: Any
) -> None:
    wanted, other = function.enqueue(str(ledger)), jobs.hold.enqueue(str(ledger), str(tmp_path / "until"))
    worker = start_worker("--processes", "1", "--threads", "2")
    _wait_for(worker, ledger, 2)
    assert wanted.cancel()
    (wanted,) = worker.until_final(wanted)
    assert (wanted.status, _history(wanted)) == ("cancelled", [("cancelled", 1)])
    (tmp_path / "until").touch()
    (other,) = worker.until_final(other)
    assert (other.status, other.interruptions) == ("completed", 0)


@pytest.mark.parametrize("function", [jobs.spin, jobs.await_long])
def test_one_of_several_is_cancelled_by_force(
    start_worker: Start, ledger: Ledger, tmp_path: Path, function: Any
) -> None:
    wanted = function.using(timeout=None).enqueue(str(ledger))
    other = jobs.hold.enqueue(str(ledger), str(tmp_path / "until"))
    worker = start_worker("--processes", "1", "--threads", "2", KILL_AFTER=10)
    _wait_for(worker, ledger, 2)
    assert wanted.cancel(force=True)
    (wanted,) = worker.until_final(wanted)
    assert (wanted.status, _history(wanted)) == ("cancelled", [("cancelled", 1)])
    (tmp_path / "until").touch()
    (other,) = worker.until_final(other)
    assert (other.status, other.interruptions) == ("completed", 0)


def test_the_death_of_a_runner_with_several_jobs_is_charged_to_none(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    enqueued = _meeting(ledger, size=4, until=tmp_path / "until")
    worker = start_worker("--processes", "1", "--threads", "4")
    _wait_for(worker, ledger, 4)
    os.kill(ledger.pids()[0], signal.SIGKILL)
    _wait_for(worker, ledger, 8)
    (tmp_path / "until").touch()
    for job in worker.until_final(*enqueued):
        assert _history(job) == [("interrupted", 1), ("completed", 1)]


def test_a_job_that_kills_its_runner_is_found_out_and_harms_nobody(
    start_worker: Start, ledger: Ledger
) -> None:
    poison = jobs.exit_at_once.using(max_attempts=1).enqueue(3)
    good = [jobs.nap.enqueue(str(ledger), 0.05) for _ in range(20)]
    worker = start_worker("--processes", "1", "--threads", "4")
    (poison, *good) = worker.until_final(poison, *good)
    assert {job.status for job in good} == {"completed"}
    assert poison.status == "dead"
    assert JobError.objects.get().message == "its runner exited with code 3"


def test_at_shutdown_all_jobs_of_a_runner_are_stopped_and_run_again_uncharged(
    start_worker: Start, ledger: Ledger
) -> None:
    enqueued = [jobs.await_long.using(timeout=None).enqueue(str(ledger)) for _ in range(2)]
    enqueued += [jobs.spin_in_a_loop.using(timeout=None).enqueue(str(ledger)) for _ in range(2)]
    worker = start_worker("--processes", "1", "--threads", "4", "--grace", "0.1")
    _wait_for(worker, ledger, 4)
    assert worker.stop() == 0
    assert ledger.lines.count("CLEANED") == 4
    for job in enqueued:
        job.refresh_from_db()
        assert (job.status, job.attempts, job.interruptions) == ("ready", 0, 1)


def test_running_jobs_finish_within_the_grace_period(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    running = _meeting(ledger, size=4, until=tmp_path / "until")
    worker = start_worker("--processes", "2", "--threads", "2", "--grace", "15")
    _wait_for(worker, ledger, 4)
    worker.send(signal.SIGTERM)
    worker.until(lambda: "stopping" in worker.log)
    (tmp_path / "until").touch()
    assert worker.wait() == 0
    for job in running:
        job.refresh_from_db()
        assert job.status == "completed"


def test_a_runner_with_threads_runs_no_more_jobs_than_it_may(start_worker: Start, ledger: Ledger) -> None:
    enqueued = jobs.note_pid.enqueue_many([(str(ledger),)] * 20)
    worker = start_worker("--burst", "--processes", "1", "--threads", "4", "--max-jobs-per-runner", "3")
    assert worker.wait() == 0
    results = [job.result(timeout=0) for job in worker.until_final(*enqueued)]
    assert max(results.count(pid) for pid in results) <= 3
    assert set(Attempt.objects.values_list("outcome", "number")) == {("completed", 1)}


def test_what_would_end_a_loop_ends_one_job(start_worker: Start, ledger: Ledger) -> None:
    leaver = jobs.exit_in_a_coroutine.enqueue()
    after = [jobs.answer_later.enqueue(number) for number in range(3)]
    worker = start_worker("--processes", "1", "--threads", "2")
    worker.until_final(leaver)
    assert [job.result(timeout=0) for job in worker.until_final(*after)] == [0, 1, 2]
    assert JobError.objects.get(job=leaver).exception_type == "SystemExit"


def test_a_task_that_a_job_has_left_ends_with_it(start_worker: Start, ledger: Ledger) -> None:
    job = jobs.leave_a_task.enqueue(str(ledger))
    worker = start_worker("--processes", "1", "--threads", "2")
    (job,) = worker.until_final(job)
    assert (job.status, ledger.lines) == ("completed", ["ENDED"])


def test_a_transaction_left_open_reaches_no_neighbour_and_no_later_job(
    start_worker: Start, ledger: Ledger
) -> None:
    enqueued = [job for _ in range(5) for job in (jobs.leave_transaction_open, jobs.read_database)]
    written = [function.enqueue() for function in enqueued]
    worker = start_worker("--processes", "1", "--threads", "3")
    done = worker.until_final(*written)
    assert {job.status for job in done} == {"completed"}
    assert all(job.result(timeout=0) for job in done[1::2])


def test_a_job_that_limits_its_memory_fails_where_it_has_neighbours(start_worker: Start) -> None:
    job = jobs.eat.using(max_memory="64M").enqueue(1)
    worker = start_worker("--processes", "1", "--threads", "2")
    (job,) = worker.until_final(job)
    assert job.status == "dead"
    assert "needs a process of its own" in job.errors[0].message


def test_many_jobs_in_threads_of_two_processes_all_complete_once(start_worker: Start, ledger: Ledger) -> None:
    enqueued = jobs.note.enqueue_many([(str(ledger), str(number)) for number in range(500)])
    enqueued += jobs.answer_later.enqueue_many([(number,) for number in range(500)])
    worker = start_worker("--burst", "--processes", "2", "--threads", "4")
    assert worker.wait() == 0
    assert {job.status for job in worker.until_final(*enqueued)} == {"completed"}
    assert sorted(map(int, ledger.lines)) == list(range(500))
    assert Attempt.objects.count() == 1000


def test_of_a_job_that_forks_only_its_own_process_reports(start_worker: Start, ledger: Ledger) -> None:
    forks = [jobs.fork_and_return.enqueue(str(ledger)) for _ in range(2)]
    worker = start_worker("--processes", "1", "--threads", "2")
    assert {job.result(timeout=0) for job in worker.until_final(*forks)} == {"once"}
    worker.until(lambda: len(ledger.lines) == 4)
    assert sorted(ledger.lines) == ["CHILD", "CHILD", "PARENT", "PARENT"]
    assert Attempt.objects.count() == 2


def test_a_worker_has_a_slot_for_each_thread(start_worker: Start) -> None:
    worker = start_worker("--processes", "2", "--threads", "4")
    row = worker.until(WorkerProcess.objects.first)
    assert row.slots == 8
