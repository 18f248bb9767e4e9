"""Everybody writes the same rows at once: conflicts are the queue's own affair, and reach nobody."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection

from django_jobs import client
from django_jobs.exceptions import JobNotFound
from django_jobs.models import Job
from django_jobs.states import FINAL, PENDING
from tests import jobs_that_misbehave as jobs
from tests.faults.accounts import Accounts
from tests.faults.ledger import Ledger as Record
from tests.faults.reckoning import broken
from tests.processes.conftest import PATIENCE, Ask, Start, used_here
from tests.tiers import by_tier

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.only_on("postgresql", "mariadb"),
    pytest.mark.faults(from_tier=1),
    pytest.mark.timeout(by_tier(120, 120, 1200)),
]

SECONDS = by_tier(5, 5, 300)
# How many rows a person takes at once in the admin.
BULK = 100
# As the entry of DATABASES says it, where the project wants another one than the usual.
REPEATABLE_READ = {
    "postgresql": {"OPTIONS": {"isolation_level": 3}},
    "mysql": {"OPTIONS": {"isolation_level": "repeatable read"}},
}


class Admin:
    """Cancels what is on record, and requeues, replays and cancels what is not, in no order at all."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def act(self) -> None:
        """Take some rows and do one thing to all of them."""
        jobs.give_up.enqueue_many([()] * 20)
        letters = Job.objects.filter(function=jobs.give_up.name)
        verb, rows = self._chance.choice(
            [
                (client.cancel, Job.objects.filter(status__in=PENDING)),
                (client.cancel, Job.objects.running()),
                (client.requeue, letters.filter(status__in=FINAL)),
                (client.replay, letters.dead()),
            ]
        )
        ids: list[Any] = list(rows.values_list("pk", flat=True)[:BULK])
        self._chance.shuffle(ids)
        with suppress(JobNotFound):  # pruned meanwhile
            verb(ids)


@pytest.mark.parametrize("level", ["of its own", "repeatable read"])
def test_no_conflict_reaches_anyone_and_nothing_is_lost(
    start_worker: Start,
    start_asking: Ask,
    record: Record,
    seed: int,
    record_property: Callable[[str, object], None],
    level: str,
) -> None:
    record_property("size", f"{SECONDS} s, everybody at once")
    chance = random.Random(seed)
    entry = {} if level == "of its own" else REPEATABLE_READ[connection.vendor]
    prune = {"PRUNE_INTERVAL": 0.1, "RETENTION": {"dead": 0.2}}
    workers = [start_worker("--processes", "2", database=entry, **prune) for _ in range(2)]
    askers = [start_asking(record, chance.randrange(2**32), database=entry) for _ in range(2)]
    workers[0].until(lambda: record.count("END"))
    admin, end = Admin(chance), time.monotonic() + SECONDS
    with used_here(entry):
        while time.monotonic() < end:
            admin.act()
    for asker in askers:
        asker.terminate()
    assert [asker.wait(PATIENCE) for asker in askers] == [0, 0]
    workers[0].until(lambda: not Job.objects.exclude(status__in=FINAL).exists(), patience=PATIENCE + SECONDS)
    assert [worker.stop() for worker in workers] == [0, 0]
    assert record.count("UNKNOWN") == 0
    for worker in workers:
        assert "the database fails" not in worker.log
        assert "is not right about this one" not in worker.log
        assert "Traceback" not in worker.log
    assert broken(Accounts.read(record)) == []
