"""Jobs that do to their process what no job should: the next one runs as if nothing had been."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_jobs.models import Attempt, Job, JobError
from tests import deeds
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, WorkerProcess

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_child_of_a_job_that_forks_takes_no_job(start_worker: Start, ledger: Ledger) -> None:
    forking = [jobs.fork_and_return.enqueue(str(ledger)) for _ in range(5)]
    others = [jobs.note.enqueue(str(ledger), "after") for _ in range(50)]
    assert start_worker("--burst", "--processes", "1").wait() == 0
    assert not Job.objects.exclude(status="completed").exists()
    assert Attempt.objects.count() == len(forking) + len(others)
    assert {job.result(timeout=0) for job in forking} == {"once"}
    assert ledger.lines.count("after") == len(others)


class Neighbourhood:
    """A worker with one process, and what a job finds in it before anything was done."""

    def __init__(self, worker: WorkerProcess) -> None:
        self.worker = worker
        self.before = self._look()

    def _look(self) -> Any:
        job = jobs.look_around.enqueue()
        self.worker.until_final(job)
        return job.result(timeout=0)

    def after(self, deed: str) -> Job:
        """Have a job do something, and look whether the next one finds all as it was."""
        (job,) = self.worker.until_final(jobs.do.enqueue(deed))
        assert self._look() == self.before, deed
        return job

    def error_after(self, deed: str) -> JobError:
        """Have a job do what ends it; return its error."""
        job = self.after(deed)
        assert job.status == "dead", deed
        return JobError.objects.get(job=job)


@pytest.fixture
def neighbourhood(start_worker: Start) -> Iterator[Neighbourhood]:
    """Return a worker with one process, which is well at the end."""
    made = Neighbourhood(start_worker("--processes", "1"))
    yield made
    assert made.worker.stop() == 0
    made.worker.forget_log()  # it is as long as what the jobs have printed


def test_what_a_job_makes_of_its_process_does_not_reach_the_next(neighbourhood: Neighbourhood) -> None:
    for deed in sorted(deeds.BORNE):
        job = neighbourhood.after(deed)
        assert job.status == "completed", (deed, [error.message for error in job.errors])
        assert job.attempt_set.count() == 1, deed


def test_what_ends_the_job_does_not_end_its_runner(neighbourhood: Neighbourhood) -> None:
    for deed, (_, said) in sorted(deeds.FAILING.items()):
        error = neighbourhood.error_after(deed)
        assert error.kind in ("exception", "serialization"), deed
        assert said in error.message, deed


def test_what_ends_the_runner_is_said_and_does_not_end_the_worker(neighbourhood: Neighbourhood) -> None:
    for deed, (_, said) in sorted(deeds.DEADLY.items()):
        error = neighbourhood.error_after(deed)
        assert (error.kind, said in error.message) == ("crash", True), (deed, error.message)


@pytest.mark.parametrize("method", ["fork", "exec"])
def test_what_a_job_prints_is_there_once_when_it_is_completed(start_worker: Start, method: str) -> None:
    first, second = jobs.print_words.enqueue("first words"), jobs.print_words.enqueue("second words")
    worker = start_worker("--processes", "1", "--start-method", method)
    worker.until_final(first, second)
    assert worker.log.count("first words") == worker.log.count("second words") == 1
    worker.stop()
    assert worker.log.count("first words") == 1
