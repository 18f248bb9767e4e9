"""What a worker does with jobs that behave."""

from __future__ import annotations

from datetime import timedelta

import pytest

from django_jobs import exponential
from django_jobs.models import Attempt, Job, JobError
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import PATIENCE, Ledger, Start

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_completed_job_leaves_its_result_and_one_attempt(start_worker: Start, ledger: Ledger) -> None:
    job = jobs.note.enqueue(str(ledger), "done")
    worker = start_worker("--burst")
    assert worker.wait() == 0
    job.refresh_from_db()
    assert (job.status, job.result(timeout=0), job.attempts, job.claim_token) == (
        "completed",
        "done",
        1,
        None,
    )
    attempt = Attempt.objects.get(job=job)
    assert (attempt.number, attempt.round, attempt.outcome) == (1, 1, "completed")
    assert attempt.started_at <= attempt.finished_at
    assert attempt.worker_id.startswith(attempt.worker_id.split("-")[0])
    assert ledger.lines == ["done"]
    assert f"job {job.pk} tests.jobs_that_misbehave.note completed" in worker.log


def test_one_worker_runs_the_highest_priority_first(start_worker: Start, ledger: Ledger) -> None:
    for priority in (-10, 0, 100):
        jobs.note.using(priority=priority).enqueue(str(ledger), str(priority))
    start_worker("--burst", "--processes", "1").wait()
    assert ledger.lines == ["100", "0", "-10"]


def test_a_worker_leaves_other_queues_alone(start_worker: Start, ledger: Ledger) -> None:
    for queue in ("default", "reports", "mail"):
        jobs.note.using(queue=queue).enqueue(str(ledger), queue)
    start_worker("--burst", "--queues", "reports,mail", "--exclude", "mail").wait()
    assert ledger.lines == ["reports"]
    start_worker("--burst", "--exclude", "default").wait()
    assert ledger.lines == ["reports", "mail"]
    assert Job.objects.ready().get().queue == "default"


def test_a_failing_job_runs_exactly_max_attempts_times(start_worker: Start, ledger: Ledger) -> None:
    job = jobs.fail_and_note.enqueue(str(ledger))
    worker = start_worker("--burst")
    worker.wait()
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("dead", 3)
    assert ledger.lines == ["1", "2", "3"]
    errors = list(job.errors)
    assert [error.attempt for error in errors] == [0, 1, 2]
    assert [error.error for error in errors] == [f"ValueError: attempt {n}" for n in (1, 2, 3)]
    assert all(error.kind == "exception" and "fail_and_note" in error.traceback for error in errors)
    assert all(error.worker and error.duration is not None and error.failed_at for error in errors)
    log = worker.log
    assert log.count(f"WARNING job {job.pk}") == 2
    assert log.count(f"ERROR   job {job.pk}") == 1


def test_errors_stay_after_a_later_attempt_completes(start_worker: Start, ledger: Ledger) -> None:
    job = jobs.fail_until.enqueue(str(ledger), 3)
    start_worker("--burst").wait()
    job.refresh_from_db()
    assert (job.status, job.result(timeout=0), job.error) == ("completed", 3, None)
    assert [error.exception_type for error in job.errors] == ["ConnectionError"] * 2


def test_a_job_that_waits_for_its_retry_keeps_nobody_busy(start_worker: Start, ledger: Ledger) -> None:
    waiting = jobs.fail_with_long_delay.enqueue()
    others = [jobs.note.enqueue(str(ledger), str(n)) for n in range(5)]
    start_worker("--burst", "--processes", "1").wait()
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts, waiting.claim_token) == ("scheduled", 1, None)
    ended = Attempt.objects.get(job=waiting).finished_at
    assert waiting.run_after - ended == timedelta(seconds=30)
    assert len(ledger.lines) == len(others)


def test_a_job_that_fails_for_the_two_thousandth_time_waits_as_long_as_its_cap_says(
    start_worker: Start,
) -> None:
    growing = exponential(2, factor=3.0, cap=3600)
    job = jobs.fail_with_long_delay.using(max_attempts=5000, retry_delay=growing).enqueue()
    Job.objects.update(attempts=1999)
    worker = start_worker("--processes", "1")
    worker.until(lambda: Job.objects.scheduled().exists() or worker.process.poll() is not None)
    assert worker.process.poll() is None
    (attempt,) = job.attempt_set.all()
    job.refresh_from_db()
    assert (attempt.number, attempt.outcome) == (2000, "failed")
    assert job.run_after - attempt.finished_at == timedelta(hours=1)
    assert worker.stop() == 0


def test_a_delayed_job_is_run_when_it_is_due(start_worker: Start, ledger: Ledger) -> None:
    job = jobs.note.using(run_after=timedelta(seconds=0.5)).enqueue(str(ledger), "later")
    assert job.status == "scheduled"
    worker = start_worker()
    (job_then,) = worker.until_final(job)
    assert Attempt.objects.get(job=job_then).started_at >= job.run_after


def test_a_job_can_ask_for_its_retry(start_worker: Start) -> None:
    job = jobs.ask_for_retry.enqueue()
    start_worker("--burst").wait()
    job.refresh_from_db()
    assert (job.status, job.attempts, job.result(timeout=0)) == ("completed", 2, 2)


def test_a_permanent_error_ends_the_job_at_once(start_worker: Start) -> None:
    job = jobs.give_up.enqueue()
    start_worker("--burst").wait()
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("dead", 1)


def test_a_coroutine_function_is_awaited(start_worker: Start) -> None:
    job = jobs.answer_later.enqueue(7)
    start_worker("--burst").wait()
    job.refresh_from_db()
    assert job.result(timeout=0) == 7


def test_a_result_that_cannot_be_stored_fails_the_attempt(start_worker: Start) -> None:
    job = jobs.return_lock.enqueue()
    start_worker("--burst").wait()
    job.refresh_from_db()
    assert job.status == "dead"
    assert JobError.objects.get(job=job).kind == "serialization"


def test_large_arguments_and_results_travel_whole(start_worker: Start, ledger: Ledger) -> None:
    word = "é" * 40_000  # escaped, six characters each: 240,000 bytes
    sent, returned = jobs.note.enqueue(str(ledger), word), jobs.return_text.enqueue(1_000_000)
    start_worker("--burst").wait()
    assert sent.result(timeout=0) == word
    assert returned.result(timeout=0) == "x" * 1_000_000


def test_a_burst_worker_ends_with_nothing_to_do(start_worker: Start) -> None:
    assert start_worker("--burst").wait() == 0


def test_max_jobs_ends_the_worker_after_so_many(start_worker: Start, ledger: Ledger) -> None:
    for number in range(10):
        jobs.note.enqueue(str(ledger), str(number))
    assert start_worker("--max-jobs", "4").wait() == 0
    assert len(ledger.lines) == 4
    assert Job.objects.stats()["total"] | {"ready": 6, "completed": 4} == Job.objects.stats()["total"]


def test_execd_runners_do_the_same_work(start_worker: Start, ledger: Ledger) -> None:
    written = [jobs.note.enqueue(str(ledger), str(number)) for number in range(3)]
    worker = start_worker("--burst", "--start-method", "exec")
    assert worker.wait() == 0
    assert {job.status for job in worker.until_final(*written)} == {"completed"}
    assert sorted(ledger.lines) == ["0", "1", "2"]


def test_a_job_of_an_unknown_function_is_kept_uncharged(start_worker: Start, ledger: Ledger) -> None:
    unknown = jobs.note.enqueue(str(ledger), "never")
    Job.objects.filter(pk=unknown.pk).update(function="tests.jobs_that_misbehave.nite")
    known = jobs.note.enqueue(str(ledger), "known")
    worker = start_worker("--burst")
    worker.wait()
    unknown.refresh_from_db()
    assert (unknown.status, unknown.attempts, unknown.attempt_set.count()) == ("scheduled", 0, 0)
    assert f"WARNING job {unknown.pk} tests.jobs_that_misbehave.nite was not run" in worker.log
    assert unknown.reason.startswith("unknown function")
    assert "tests.jobs_that_misbehave.note" in unknown.reason
    assert known.result(timeout=0) == "known"


def test_a_job_whose_function_stays_unknown_dies_in_the_end(start_worker: Start, ledger: Ledger) -> None:
    unknown = jobs.note.enqueue(str(ledger), "never")
    Job.objects.filter(pk=unknown.pk).update(function="nobody.knows")
    start_worker("--burst", UNKNOWN_FUNCTION_TTL=0).wait()
    unknown.refresh_from_db()
    assert unknown.status == "dead"
    assert JobError.objects.get(job=unknown).kind == "unknown function"


def test_a_result_can_be_waited_for(start_worker: Start, ledger: Ledger) -> None:
    job = jobs.note.enqueue(str(ledger), "heard")
    worker = start_worker()
    assert job.result(timeout=PATIENCE) == "heard"
    assert worker.stop() == 0
