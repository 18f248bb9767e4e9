"""What a function calls sensitive is in no row and no line that its failure leaves."""

from __future__ import annotations

import pytest

from django_jobs.masking import MASK
from django_jobs.models import Job, JobError
from tests.processes.conftest import Start
from tests.runner import jobs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

TOKEN = "s3cr3t-0123456789"


def test_no_row_of_a_failed_run_and_no_line_of_the_log_shows_a_secret(start_worker: Start) -> None:
    job = jobs.tell_a_secret.using(max_attempts=1).enqueue("at the end of a long text", TOKEN)
    worker = start_worker(IMPORTS=["tests.runner.jobs"])
    worker.until_final(job)
    stored = [*JobError.objects.values_list("message", "traceback").get(), Job.objects.get(pk=job.pk).error]
    assert [text for text in (*stored, worker.log) if "s3cr3t" in text] == []
    assert MASK in stored[0]
