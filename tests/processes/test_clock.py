"""A worker goes by its database's clock, whatever its host's says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from django_jobs.models import Attempt, Job
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start

# SQLite has no other clock than the host's.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("postgresql", "mariadb")]


def test_leases_and_ends_are_written_in_the_database_s_time(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
    worker = start_worker(IMPORTS=["tests.jobs_that_misbehave", "tests.processes.an_hour_ahead"])
    worker.until(lambda: ledger.lines)
    soon = timezone.now() + timedelta(minutes=50)
    assert Job.objects.filter(pk=job.pk, lease__gt=soon).exists()
    (tmp_path / "go").touch()
    worker.until_final(job)
    assert Attempt.objects.filter(job=job, started_at__gt=soon, finished_at__gt=soon).exists()
