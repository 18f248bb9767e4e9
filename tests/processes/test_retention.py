"""What a real worker removes in its time, and what it leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_jobs import JobFailed, ResultExpired
from django_jobs.models import Attempt, Job, ResultExpiry
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Start

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_removes_results_and_jobs_that_are_not_kept(start_worker: Start) -> None:
    old = jobs.return_text.enqueue(3)
    Job.objects.filter(pk=old.pk).update(status="completed", run_after=timezone.now() - timedelta(days=8))
    letter = jobs.give_up.using(result_ttl=0.001).enqueue()
    kept = jobs.return_text.enqueue(3)
    short = jobs.return_text.using(result_ttl=0.01).enqueue(3)
    worker = start_worker(PRUNE_INTERVAL=0.1)
    worker.until_final(letter, kept, short)
    worker.until(lambda: not ResultExpiry.objects.exists() and not Job.objects.filter(pk=old.pk).exists())
    assert worker.stop() == 0
    assert {job.pk: job.result_data for job in Job.objects.completed()} == {kept.pk: '"xxx"', short.pk: None}
    assert Attempt.objects.count() == 3
    assert kept.result() == "xxx"
    with pytest.raises(ResultExpired):
        short.result()
    with pytest.raises(JobFailed):
        letter.result()
    assert letter.errors.count() == 1
