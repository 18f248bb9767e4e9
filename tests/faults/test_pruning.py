"""Old jobs are removed by the million while others come and go, a step at a time: no claim waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from benchmarks import ballast
from django_jobs.engines import engine_for
from django_jobs.models import Job
from django_jobs.states import Status
from tests.engines.conformance.making import new
from tests.processes.conftest import Start, start_worker
from tests.tiers import by_tier

__all__ = ["start_worker"]
pytestmark = [
    pytest.mark.faults(from_tier=2),
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(by_tier(120, 120, 3600)),
]

OLD = by_tier(5_000, 5_000, 1_000_000)
CLAIMS = by_tier(50, 50, 2_000)
QUEUE, TAKEN = "busy", 10


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


def p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


def test_claims_go_on_while_old_jobs_are_removed(
    start_worker: Start, record_property: Callable[[str, object], None]
) -> None:
    engine = engine_for("default")
    now = engine.read_clock()
    engine.enqueue([new(queue=QUEUE, run_after=now) for _ in range(20 * TAKEN)])
    for part in range(0, OLD, ballast.MILLION):
        ballast._load(["old"], "completed", min(OLD - part, ballast.MILLION), first=part)
    ballast.analyze()
    before = p95([claim_and_settle() for _ in range(CLAIMS)])
    beside: list[float] = []
    began = time.monotonic()
    # It has nothing to claim: what another process's claims wait for is the removal alone.
    worker = start_worker("--queues", "nothing", RETENTION={"completed": 3600}, PRUNE_INTERVAL=1)
    while Job.objects.completed().exists():
        beside.append(claim_and_settle())
        time.sleep(0.01)
    record_property("figure", (f"removing {OLD:,} jobs beside claims (s)", time.monotonic() - began))
    assert worker.stop() == 0
    after = p95([claim_and_settle() for _ in range(CLAIMS)])
    record_property("figure", ("p95 of a claim before the removal (s)", before))
    record_property("figure", ("p95 of a claim beside the removal (s)", p95(beside)))
    record_property("figure", ("p95 of a claim after the removal (s)", after))
    assert Job.objects.count() == 20 * TAKEN
    assert len(beside) >= OLD / engine.removed_at_once / 10  # the removal lets others in between its steps
