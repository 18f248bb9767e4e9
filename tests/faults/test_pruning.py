"""Old jobs are removed by the million while others come and go, a step at a time: few claims meet one."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from benchmarks import ballast
from django_jobs.engines import engine_for
from django_jobs.models import Attempt, Job, JobError, WorkerProcess
from django_jobs.states import Status
from tests.engines.conformance.making import new
from tests.processes.conftest import Start, start_worker

__all__ = ["start_worker"]
pytestmark = [
    pytest.mark.faults(from_tier=2),
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(3 * 3600),
]

# A smaller number is for a look at the test itself.
OLD = int(os.environ.get("TEST_OLD_JOBS", "1000000"))
# So long claims are looked at beside the removal, and then without it (seconds), again and again: what else
# the machine does in these minutes is the same for both.
BESIDE = min(30.0, OLD / 10_000)
ALONE = BESIDE / 3
# Claims come at any moment of a step and of the rest after it (seconds).
BETWEEN = (0.005, 0.015)
QUEUE, TAKEN = "busy", 10
REMOVED, KEPT = {"completed": 3600}, {"completed": None}
WORSE = 2.0

# Each has what a job that has run has, and every seventh had failed before.
CHILDREN = (
    """INSERT INTO django_jobs_attempt
        (job_id, token, round, number, outcome, worker_id, started_at, finished_at)
    SELECT id, 7, 1, 1, 'completed', 'gone', run_after, run_after
    FROM django_jobs_job WHERE status = 'completed' ORDER BY id""",
    """INSERT INTO django_jobs_joberror
        (job_id, token, round, number, kind, exception_type, message, traceback, fingerprint, worker_id,
         failed_at)
    SELECT id, 6, 1, 1, 'exception', 'ValueError', 'no', 'Traceback', '', 'gone', run_after
    FROM django_jobs_job WHERE status = 'completed' AND priority = 3 ORDER BY id""",
)


def load() -> None:
    """Store the old jobs, with their attempts and errors."""
    for part in range(0, OLD, ballast.MILLION):
        ballast._load(["old"], "completed", min(OLD - part, ballast.MILLION), first=part)
    for statement in CHILDREN:
        ballast.ask(statement)
    ballast.analyze()
    ballast.tidy()


def claim_and_settle() -> float:
    """Claim as a worker does, give all back; return how long the claim took (seconds)."""
    engine = engine_for("default")
    lease = engine.read_clock() + timedelta(minutes=1)
    began = time.perf_counter()
    jobs = engine.claim([QUEUE], TAKEN, worker_id="w", token=7, lease=lease)
    took = time.perf_counter() - began
    assert len(jobs) == TAKEN
    Job.objects.filter(pk__in=[job.id for job in jobs]).update(status=Status.READY, claim_token=None)
    return took


def claim_for(seconds: float, chance: random.Random) -> list[float]:
    """Claim again and again for so long; return how long each claim took (seconds)."""
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        times.append(claim_and_settle())
        time.sleep(chance.uniform(*BETWEEN))
    return times


def p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


def test_claims_go_on_while_old_jobs_are_removed(
    start_worker: Start, seed: int, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(seed)
    engine = engine_for("default")
    load()
    engine.enqueue([new(queue=QUEUE, run_after=engine.read_clock()) for _ in range(20 * TAKEN)])

    def claims_beside(retention: dict[str, float | None], seconds: float) -> list[float]:
        # It has nothing to claim: what another process's claims wait for is the removal alone.
        worker = start_worker("--queues", "nothing", RETENTION=retention, PRUNE_INTERVAL=1)
        worker.until(WorkerProcess.objects.exists)  # and has done each duty once
        times = claim_for(seconds, chance)
        assert worker.stop() == 0
        return times

    beside: list[float] = []
    alone: list[float] = claims_beside(KEPT, ALONE)
    removing = 0.0
    while Job.objects.completed().exists():
        began = time.monotonic()
        times = claims_beside(REMOVED, BESIDE)
        removing += time.monotonic() - began
        if Job.objects.completed().exists():  # or for some time nothing was left to remove
            beside += times
        alone += claims_beside(KEPT, ALONE)
    record_property("size", f"{OLD:,} old jobs, {len(beside):,} claims beside their removal")
    record_property("figure", (f"removing {OLD:,} jobs (s)", removing))
    record_property("figure", ("p95 of a claim without the removal (s)", p95(alone)))
    record_property("figure", ("p95 of a claim beside the removal (s)", p95(beside)))
    record_property("figure", ("the second, of the first", p95(beside) / p95(alone)))
    assert Job.objects.count() == 20 * TAKEN
    assert not Attempt.objects.exists()
    assert not JobError.objects.exists()
    assert p95(beside) <= WORSE * p95(alone)
