"""Jobs by the hundred thousand as fast as they go, under kills all the while: nothing grows, none is lost."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from statistics import median

import pytest

from django_jobs.models import Job
from django_jobs.states import PENDING, Status
from tests import jobs_that_misbehave as jobs
from tests.conftest import TEST_DATABASE
from tests.faults.accounts import Accounts
from tests.faults.awake import awake
from tests.faults.enqueuer import Enqueuer
from tests.faults.footprint import Sample, room, sample, slope
from tests.faults.injector import Injector
from tests.faults.ledger import Ledger
from tests.faults.reckoning import broken
from tests.processes.conftest import Start, entry_of
from tests.servers import KINDS

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.faults(from_tier=2),
    pytest.mark.timeout(3 * 3600),
]

# A smaller number is for a look at the test itself: what grows shows itself only when all caches are full.
JOBS = int(os.environ.get("TEST_SOAK_JOBS", "864000"))
CACHES_ARE_FULL = 150_000
KILLS, KEPT = max(1, JOBS // 600), JOBS * 50_000 // 864_000
BATCH, BACKLOG = 200, min(4000, JOBS // 20)
LOOKS = 100
FAILING = 0.01
# Mostly runners: a worker of these starts in the time of a thousand jobs. The first worker sees the end.
WAYS = {"runner": 18, "worker": 1, "worker and nursery": 1}
MEGABYTE = 1024 * 1024

Note = Callable[[str, object], None]


@pytest.fixture
def start_here(request: pytest.FixtureRequest, start_worker: Start) -> Start:
    """Return what starts a worker on a server of this test alone, where there are servers.

    The machine's PostgreSQL may be without autovacuum, and then every table grows for ever. A server of one's
    own does not wait for the disk, on which nothing here depends.
    """
    if TEST_DATABASE not in KINDS:
        return start_worker
    return partial(start_worker, database=entry_of(request.getfixturevalue("server")))


class Soak:
    """One long run.

    Args:
        keep: for how long final jobs are kept (seconds).
    """

    def __init__(self, start: Start, ledger: Ledger, *, seed: int, keep: float) -> None:
        self._ledger, self._chance = ledger, random.Random(seed)
        self._enqueuer, self._before = Enqueuer(ledger), ledger.count("END")
        settings = {
            "LEASE": 5.0,
            "RETENTION": {"completed": keep, "dead": keep},
            "PRUNE_INTERVAL": max(0.1, keep / 20),
        }
        self._injector = Injector(
            lambda: start("--processes", "3", **settings),
            count=2,
            ledger=ledger,
            chance=random.Random(self._chance.random()),
            ways=WAYS,
            spared=1,
        )
        self.samples: list[Sample] = []

    def run(self) -> None:
        """Do all of it."""
        with awake(self._ledger):
            with ThreadPoolExecutor(1) as aside:
                striking = aside.submit(self._strike)
                self._enqueue(striking)
                striking.result()
            self._until(lambda: not Job.objects.filter(status__in=[*PENDING, Status.RUNNING]).exists())
            self._look()
            assert self._injector.stop() == [0, 0]

    def _enqueue(self, striking: Future[None]) -> None:
        for stored in range(0, JOBS, BATCH):
            self._until(lambda stored=stored: stored - self._ended < BACKLOG or striking.done())
            self._enqueue_batch(min(BATCH, JOBS - stored))
            if self._ended >= len(self.samples) * JOBS / LOOKS:
                self._look()

    def _enqueue_batch(self, size: int) -> None:
        failures = [int(self._chance.random() < FAILING) for _ in range(size)]
        patient = jobs.run_on_record.using(max_attempts=100, retry_delay=0.01)
        calls = [(str(self._ledger), 0, number) for number in failures]
        self._enqueuer.store(lambda: patient.enqueue_many(calls))

    def _strike(self) -> None:
        for number in range(1, KILLS + 1):
            self._until(lambda number=number: self._ended >= number * JOBS // (KILLS + 1))
            self._injector.strike()

    def _look(self) -> None:
        self.samples.append(sample(self._injector.workers[0].pid, self._ledger))

    def _until(self, fact: Callable[[], bool]) -> None:
        self._injector.workers[0].until(fact, patience=300)

    @property
    def _ended(self) -> int:
        return self._ledger.count("END") - self._before


def _seconds_a_job(start: Start, ledger: Ledger) -> float:
    """Have a worker do a few, which tells how long the wanted number is to be kept."""
    some = max(1000, JOBS // 50)
    Enqueuer(ledger).store(lambda: jobs.run_on_record.enqueue_many([(str(ledger),)] * some))
    worker = start("--processes", "6")
    worker.until(lambda: ledger.count("END") > 0)
    begun = time.monotonic()
    worker.until(lambda: not Job.objects.filter(status__in=[*PENDING, Status.RUNNING]).exists(), patience=900)
    assert worker.stop() == 0
    return (time.monotonic() - begun) / some


def test_nothing_grows_and_no_job_is_lost_in_a_long_run(
    start_here: Start, record: Ledger, seed: int, record_property: Note
) -> None:
    keep = _seconds_a_job(start_here, record) * KEPT
    soak = Soak(start_here, record, seed=seed, keep=keep)
    soak.run()
    accounts = Accounts.read(record, pruned=True)
    assert broken(accounts) == []
    record_property("size", f"{JOBS:,} jobs, {KILLS:,} kills")
    record_property(
        "figure", ("second runs, each of one that a kill had met", accounts.repeated_after("KILL"))
    )
    stood_still = accounts.repeated_after("FREEZE")
    record_property("figure", ("second runs because the machine stood still", stood_still))
    _assert_nothing_grows(soak.samples, record_property)


def _assert_nothing_grows(samples: list[Sample], record_property: Note) -> None:
    print(*samples, sep="\n")
    quarter = len(samples) // 4
    before, after = samples[:quarter], samples[quarter:]
    growth = slope(after) * 100_000 / MEGABYTE
    record_property("figure", ("growth of the parent by 100,000 jobs (MB)", growth))
    ratio = after[-1].database / before[-1].database
    record_property("figure", ("size of the database, of what it was at a quarter", ratio))
    assert median(one.descriptors for one in after) == median(one.descriptors for one in before)
    if JOBS >= CACHES_ARE_FULL:
        assert growth < 1
        assert room(samples) < 1.2 * room(before)
        # How many that are depends on how fast it goes; were none removed, it would be all.
        assert max(one.stored for one in samples) < JOBS / 4
