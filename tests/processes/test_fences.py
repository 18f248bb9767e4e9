"""What one worker holds and what it may touch: of a job that is another's by now it changes nothing."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from django_jobs.engines import engine_for
from django_jobs.models import Attempt, Job
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, is_gone

pytestmark = pytest.mark.django_db(transaction=True)

FENCE = ("status", "worker_id", "claim_token", "lease")
HOUR = timedelta(hours=1)


def _take_over(job: Job) -> dict[str, Any]:
    """Claim a running job as another worker that has rescued it; return what its row says now."""
    heirs = {"worker_id": "heir", "claim_token": 7, "lease": timezone.now().replace(microsecond=0) + HOUR}
    assert Job.objects.filter(pk=job.pk, status="running").update(**heirs) == 1
    return _fence(job)


def _fence(job: Job) -> dict[str, Any]:
    return Job.objects.values(*FENCE).get(pk=job.pk)


def test_the_end_of_a_run_whose_job_is_another_s_by_now_is_dropped(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
    worker = start_worker("--processes", "1", LEASE=600)  # within the test it does not find out by renewing
    worker.until(lambda: ledger.lines)
    theirs = _take_over(job)
    (tmp_path / "go").touch()
    worker.until(lambda: "its outcome was dropped" in worker.log or Attempt.objects.exists())
    assert _fence(job) == theirs
    assert Attempt.objects.count() == 0


def test_a_renewal_leaves_the_lease_of_another_as_it_is_and_ends_the_run(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
    worker = start_worker("--processes", "1", LEASE=2)
    worker.until(lambda: ledger.lines)
    runner, theirs = ledger.pids()[0], _take_over(job)
    worker.until(lambda: is_gone(runner) or _fence(job) != theirs)
    assert _fence(job) == theirs


def test_a_lease_that_is_good_is_not_touched_beside_one_that_is_over(start_worker: Start) -> None:
    engine, now = engine_for("default"), timezone.now()
    for token, (name, lease) in enumerate((("lost", now - HOUR), ("living", now + HOUR))):
        jobs.answer_later.using(queue=name).enqueue(1)
        assert len(engine.claim([name], 1, worker_id=name, token=token, lease=lease)) == 1
    lost, living = (Job.objects.get(queue=name) for name in ("lost", "living"))
    before = {name: getattr(living, name) for name in FENCE}
    worker = start_worker(LEASE=1)
    # Not until that one has ended alone: whoever rescues too early may never let it come to its end.
    worker.until(lambda: Job.objects.get(pk=lost.pk).is_final or _fence(living) != before)
    assert _fence(living) == before


def test_what_a_worker_runs_is_ended_by_its_nursery_when_the_worker_freezes_past_its_lease(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
    worker = start_worker("--processes", "1", LEASE=1)
    worker.until(lambda: ledger.lines)
    os.kill(worker.pid, signal.SIGSTOP)
    worker.until(lambda: is_gone(ledger.pids()[0]), why="a run has outlived its lease")
