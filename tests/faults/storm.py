"""A storm: jobs are enqueued and run while their runners and workers are killed, until all is done."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django_jobs.models import Attempt, Job
from django_jobs.states import PENDING, Status
from tests import jobs_that_misbehave as jobs
from tests.faults.accounts import Accounts
from tests.faults.awake import awake
from tests.faults.enqueuer import Enqueuer, batches
from tests.faults.injector import Injector
from tests.faults.ledger import Ledger
from tests.processes.conftest import WorkerProcess

# How long jobs take (seconds), and how many in a hundred do.
SECONDS = {0.001: 80, 0.05: 19, 2.0: 1}
# One in so many transactions is rolled back.
ROLLED_BACK = 20
# Workers, which die often, with so few runners that two cores can carry them.
WORKERS, PROCESSES = 2, 4


class Storm:
    """So many jobs and kills, all by chance of one seed.

    Args:
        start: starts a worker, with options and settings as words and keywords.
        settings: the workers'; without any they have a short lease.
    """

    def __init__(
        self, start: Callable[..., WorkerProcess], ledger: Ledger, *, seed: int, **settings: object
    ) -> None:
        self._ledger, self._chance = ledger, random.Random(seed)
        self._enqueuer = Enqueuer(ledger)
        self.injector = Injector(
            lambda: start("--processes", str(PROCESSES), **(settings or {"LEASE": 2.0})),
            count=WORKERS,
            ledger=ledger,
            chance=random.Random(self._chance.random()),
        )

    def blow(self, count: int, *, kills: int) -> Accounts:
        """Have so many jobs done under so many kills; return the accounts, with all workers stopped."""
        with awake(self._ledger):
            with ThreadPoolExecutor(1) as aside:
                striking = aside.submit(self._strike, kills, count)
                self._enqueue(count, until=striking.done)
                striking.result()
            self._wait(count)
            assert self.injector.stop() == [0] * WORKERS
        return Accounts.read(self._ledger)

    def _enqueue(self, count: int, *, until: Callable[[], bool]) -> None:
        # Half of them at once, so that the workers never lack work; the rest while they are struck.
        stored = 0
        for size in batches(count, self._chance):
            while stored > count / 2 and stored - self._ended > count / 4 and not until():
                time.sleep(0.02)
            self._enqueue_batch(size)
            stored += size
            if self._chance.randrange(ROLLED_BACK) == 0:
                self._enqueue_batch(size, roll_back=True)

    def _enqueue_batch(self, size: int, *, roll_back: bool = False) -> None:
        seconds = self._chance.choices(list(SECONDS), list(SECONDS.values()), k=size)
        patient = jobs.run_on_record.using(max_attempts=100, retry_delay=0.01)
        calls = [(str(self._ledger), each) for each in seconds]
        self._enqueuer.store(lambda: patient.enqueue_many(calls), roll_back=roll_back)

    def _strike(self, kills: int, count: int) -> None:
        worker = self.injector.workers[0]
        for number in range(1, kills + 1):
            due = number * count // (kills + 1)
            worker.until(lambda due=due: self._ended >= due, patience=120)
            self.injector.strike()

    @property
    def _ended(self) -> int:
        return self._ledger.count("END")

    def _wait(self, count: int) -> None:
        pending = [*PENDING, Status.RUNNING]
        worker = self.injector.workers[0]
        worker.until(lambda: not Job.objects.filter(status__in=pending).exists(), patience=60 + count / 50)
        assert Attempt.objects.filter(outcome="completed").count() == count
