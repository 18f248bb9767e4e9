"""A stranger leaves a transaction open for long, and the database keeps every row that it could still see."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from django_jobs.models import Job
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, WorkerProcess
from tests.tiers import by_tier

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.only_on("postgresql", "mariadb"),
    pytest.mark.faults(from_tier=2),
    pytest.mark.timeout(1200),
]

BEFORE, MEANWHILE = by_tier(5_000, 5_000, 20_000), by_tier(10_000, 10_000, 100_000)
# Within so long of its end all must be as before (seconds), nearly.
RECOVERY = 60.0
BATCH = 5000
BEGIN = {
    "postgresql": ("BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM django_jobs_queue"),
    # At the level that the tests' connections have, MariaDB would take none.
    "mysql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT",
    ),
}


@contextmanager
def _old_snapshot() -> Iterator[None]:
    stranger = connection.copy()
    try:
        with stranger.cursor() as cursor:
            for statement in BEGIN[connection.vendor]:
                cursor.execute(statement)
        yield
    finally:
        stranger.close()


def _p95(worker: WorkerProcess, since: float, until: float) -> float:
    """Return which time 95 of 100 claims of a worker do not exceed, of those within a time."""
    lines = [line.split() for line in worker.beside(".claims").read_text().splitlines()]
    taken = [float(seconds) for begun, seconds in lines if since <= float(begun) < until]
    return statistics.quantiles(taken, n=20)[-1]


def _fill(ledger: Ledger, count: int) -> None:
    for _ in range(count // BATCH):
        jobs.note.enqueue_many([(str(ledger), "x")] * BATCH)


def test_claims_take_little_longer_under_an_old_snapshot_and_as_long_as_before_after_it(
    start_worker: Start, ledger: Ledger, record_property: Callable[[str, object], None]
) -> None:
    def drained(count: int) -> float:
        worker.until(lambda: len(ledger.lines) >= count, patience=900)
        return time.monotonic()

    _fill(ledger, BEFORE + MEANWHILE + BATCH)
    worker = start_worker(
        "--processes",
        "2",
        IMPORTS=["tests.jobs_that_misbehave", "tests.processes.timed_claims"],
        RESCUE_INTERVAL=5,  # as it is by default: each looks through all that ever ran
    )
    began, held = drained(BATCH), drained(BEFORE)
    with _old_snapshot():
        ended = drained(BEFORE + MEANWHILE)
    while (now := time.monotonic()) < ended + RECOVERY:
        if Job.objects.ready()[:BATCH].count() < BATCH:
            _fill(ledger, BATCH)
        time.sleep(0.1)
    assert worker.stop() == 0
    before, meanwhile = _p95(worker, began, held), _p95(worker, held, ended)
    after = _p95(worker, ended + RECOVERY * 2 / 3, now)
    record_property("size", f"{MEANWHILE:,} jobs")
    for what, seconds in [("before", before), ("under", meanwhile), ("after", after)]:
        record_property("figure", (f"p95 of a claim, {what} an old snapshot (s)", seconds))
    assert meanwhile <= 5 * before
    assert after <= 1.5 * before
