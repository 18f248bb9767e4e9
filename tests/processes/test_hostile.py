"""Jobs that do to their process what no job should: the next one runs as if nothing had been."""

from __future__ import annotations

import pytest

from django_jobs.models import Attempt, Job
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_child_of_a_job_that_forks_takes_no_job(start_worker: Start, ledger: Ledger) -> None:
    forking = [jobs.fork_and_return.enqueue(str(ledger)) for _ in range(5)]
    others = [jobs.note.enqueue(str(ledger), "after") for _ in range(50)]
    assert start_worker("--burst", "--processes", "1").wait() == 0
    assert not Job.objects.exclude(status="completed").exists()
    assert Attempt.objects.count() == len(forking) + len(others)
    assert {job.result(timeout=0) for job in forking} == {"once"}
    assert ledger.lines.count("after") == len(others)


@pytest.mark.parametrize("method", ["fork", "exec"])
def test_what_a_job_prints_is_there_once_when_it_is_completed(start_worker: Start, method: str) -> None:
    first, second = jobs.print_words.enqueue("first words"), jobs.print_words.enqueue("second words")
    worker = start_worker("--processes", "1", "--start-method", method)
    worker.until_final(first, second)
    assert worker.log.count("first words") == worker.log.count("second words") == 1
    worker.stop()
    assert worker.log.count("first words") == 1
