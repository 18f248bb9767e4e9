"""Runners are replaced after so many jobs or above so much memory; the jobs do not notice."""

from __future__ import annotations

from collections import Counter

import pytest

from django_jobs.models import Attempt, JobError
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, is_gone

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("method", "many"), [("fork", 20), ("exec", 8)])
def test_no_runner_runs_more_jobs_than_it_may(
    start_worker: Start, ledger: Ledger, method: str, many: int
) -> None:
    enqueued = jobs.note_pid.enqueue_many([(str(ledger),)] * many)
    worker = start_worker("--burst", "--max-jobs-per-runner", "3", "--start-method", method)
    assert worker.wait() == 0
    assert all(job.is_final for job in worker.until_final(*enqueued))
    of_each = Counter(ledger.lines)
    assert sum(of_each.values()) == many
    assert max(of_each.values()) <= 3
    assert set(Attempt.objects.values_list("outcome", "number")) == {("completed", 1)}


def test_a_runner_that_cannot_end_does_not_keep_its_slot(start_worker: Start, ledger: Ledger) -> None:
    job = jobs.leave_a_connection_that_never_closes.enqueue(str(ledger))
    worker = start_worker("--processes", "1", "--max-jobs-per-runner", "1")
    worker.until_final(job)
    worker.until_final(jobs.note.enqueue(str(ledger), "next"))
    assert is_gone(ledger.pids()[0])
    assert worker.stop() == 0


def test_poison_among_good_jobs_takes_no_good_one_along(start_worker: Start, ledger: Ledger) -> None:
    good, poison = [], []
    for _ in range(5):
        good += jobs.note_pid.enqueue_many([(str(ledger),)] * 4)
        poison += [jobs.exit_at_once.using(max_attempts=1).enqueue(3), jobs.kill_myself.enqueue(11)]
    worker = start_worker("--burst", "--max-jobs-per-runner", "2")
    assert worker.wait() == 0
    assert {job.status for job in worker.until_final(*good)} == {"completed"}
    assert {job.status for job in worker.until_final(*poison)} == {"dead"}
    assert len(ledger.lines) == len(good)
    assert JobError.objects.filter(job__in=good).count() == 0
    said = set(JobError.objects.values_list("message", flat=True))
    assert said == {"its runner exited with code 3", "its runner was killed by SIGSEGV"}


def test_a_job_that_leaks_has_its_runner_replaced(start_worker: Start, ledger: Ledger) -> None:
    enqueued = [jobs.leak.enqueue(str(ledger), 400 * 2**20) for _ in range(3)]
    worker = start_worker("--processes", "1", "--max-memory", "400M")
    assert [job.result(timeout=0) for job in worker.until_final(*enqueued)] == [1, 1, 1]
    assert len(set(ledger.lines)) == 3
    # Each runner says so behind its report, when the job has ended for everybody else.
    said = "after a job of tests.jobs_that_misbehave.leak, more than --max-memory=400M"
    worker.until(lambda: worker.log.count(said) == 3)
    assert worker.stop() == 0


def test_small_jobs_share_a_runner_under_the_same_limit(start_worker: Start, ledger: Ledger) -> None:
    enqueued = [jobs.leak.enqueue(str(ledger), 1) for _ in range(3)]
    worker = start_worker("--burst", "--processes", "1", "--max-memory", "400M")
    assert worker.wait() == 0
    assert [job.result(timeout=0) for job in worker.until_final(*enqueued)] == [1, 2, 3]
    assert "is replaced" not in worker.log


def test_a_job_that_eats_memory_fails_by_its_limit_and_the_next_has_all_of_it(start_worker: Start) -> None:
    eats = jobs.eat.using(max_memory="64M").enqueue(256 * 2**20)
    calm = jobs.eat.enqueue(256 * 2**20)
    worker = start_worker("--burst", "--processes", "1")
    assert worker.wait() == 0
    eats, calm = worker.until_final(eats, calm)
    assert (eats.status, calm.status) == ("dead", "completed")
    assert eats.errors[0].message == "the job needed more memory than its max_memory of 64M"
    assert "crashed" not in worker.log
