"""`--burst` and `--max-jobs`: the worker ends by itself, neither too early nor with one job too many."""

from __future__ import annotations

import pytest

from django_jobs.models import Job
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start

pytestmark = pytest.mark.django_db(transaction=True)


def test_burst_runs_what_its_own_jobs_put_into_other_queues(start_worker: Start, ledger: Ledger) -> None:
    jobs.pass_on.enqueue(str(ledger), ["mail", "reports"])
    assert start_worker("--burst", "--poll-interval", "0.5").wait() == 0
    assert len(ledger.lines) == 3
    assert not Job.objects.exclude(status="completed").exists()


def test_no_more_jobs_run_than_asked_for_and_the_others_wait(start_worker: Start, ledger: Ledger) -> None:
    jobs.note.enqueue_many([(str(ledger), str(number)) for number in range(50)])
    assert start_worker("--max-jobs", "7", "--processes", "3").wait() == 0
    assert len(ledger.lines) == 7
    assert Job.objects.ready().count() == 43
