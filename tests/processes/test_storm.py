"""Runners killed again and again, among many short jobs: none is lost, none runs twice without a cause."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from contextlib import suppress

import pytest

from django_jobs.models import Attempt, Job
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, WorkerProcess, children

pytestmark = pytest.mark.django_db(transaction=True)

JOBS, KILLS = 1500, 15


def _runners(worker: WorkerProcess) -> list[int]:
    return [runner for nursery in children(worker.pid) for runner in children(nursery)]


def _kill_some(worker: WorkerProcess, ledger: Ledger, chance: random.Random) -> int:
    """Kill a runner whenever another part of the jobs has run; return how many were killed."""
    killed = 0
    for number in range(1, KILLS + 1):
        worker.until(lambda so_far=number * JOBS // (KILLS + 5): len(ledger.lines) >= so_far)
        with suppress(ProcessLookupError):
            os.kill(chance.choice(worker.until(lambda: _runners(worker))), signal.SIGKILL)
            killed += 1
    return killed


@pytest.mark.parametrize("seed", [1, 2])
def test_every_job_completes_once_and_runs_twice_only_where_its_runner_was_killed(
    start_worker: Start, ledger: Ledger, seed: int
) -> None:
    patient = jobs.note.using(max_attempts=50, retry_delay=0.01)
    patient.enqueue_many([(str(ledger), str(number)) for number in range(JOBS)])
    worker = start_worker("--processes", "3")
    killed = _kill_some(worker, ledger, random.Random(seed))
    worker.until(lambda: Job.objects.completed().count() == JOBS)
    assert worker.stop() == 0
    runs = Counter(ledger.lines)
    outcomes = Counter(Attempt.objects.values_list("outcome", flat=True))
    assert len(runs) == outcomes["completed"] == JOBS
    assert sum(runs.values()) - JOBS <= outcomes["crashed"] <= killed
    assert set(outcomes) <= {"completed", "crashed"}
