"""Who is in the list of workers: those that run, and for a while those that were killed."""

from __future__ import annotations

import io
import json
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from django_jobs.models import WorkerProcess
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start

pytestmark = pytest.mark.django_db(transaction=True)


def listed() -> list[dict[str, Any]]:
    """Return what `jobs workers` says."""
    output = io.StringIO()
    call_command("jobs", "workers", "--json", stdout=output)
    return json.loads(output.getvalue())


def test_two_workers_of_one_name_are_two_workers(start_worker: Start, ledger: Ledger, tmp_path: Path) -> None:
    for _ in range(2):
        jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
    blue = ("--worker-id", "blue", "--processes", "1", "--queues", "d*")
    first, second = start_worker(*blue), start_worker(*blue)
    first.until(lambda: len(ledger.lines) == 2 and len(listed()) == 2)
    workers = listed()
    assert {each["pid"] for each in workers} == {first.pid, second.pid}
    assert len({each["id"] for each in workers}) == 2
    for worker in workers:
        assert worker["id"].startswith("blue-")
        assert (worker["alive"], worker["running"], worker["slots"]) == (True, 1, 1)
        assert worker["queues"] == "d*"
    (tmp_path / "go").touch()
    assert [first.stop(), second.stop()] == [0, 0]
    assert listed() == []


def test_a_worker_is_seen_again_and_again(start_worker: Start) -> None:
    worker = start_worker(LEASE=1)
    row = worker.until(lambda: WorkerProcess.objects.first())
    later = row.seen_at + timedelta(seconds=1)
    worker.until(lambda: WorkerProcess.objects.filter(seen_at__gt=later).exists())
    assert WorkerProcess.objects.get().started_at == row.started_at
    assert worker.stop() == 0


def test_a_killed_worker_stays_on_the_list_until_it_was_not_seen_for_long(start_worker: Start) -> None:
    killed = start_worker()
    killed.until(lambda: WorkerProcess.objects.exists())
    killed.send(signal.SIGKILL)
    killed.wait()
    other = start_worker("--burst")
    assert other.wait() == 0
    assert [each["pid"] for each in listed()] == [killed.pid]
    WorkerProcess.objects.update(seen_at=timezone.now() - timedelta(minutes=61))
    other = start_worker("--burst")
    assert other.wait() == 0
    assert listed() == []


def test_a_worker_that_was_forgotten_while_it_lived_comes_back(start_worker: Start) -> None:
    worker = start_worker(LEASE=1)
    worker.until(lambda: WorkerProcess.objects.exists())
    WorkerProcess.objects.all().delete()
    worker.until(lambda: WorkerProcess.objects.exists())
    assert worker.stop() == 0
