"""Jobs that kill their runner among many that do not: they are dead in the end, all others done once."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import cycle

import pytest
from django.db import transaction

from django_jobs.models import Attempt, Job, JobError
from django_jobs.states import Status
from tests import jobs_that_misbehave as jobs
from tests.faults.accounts import Accounts
from tests.faults.enqueuer import Enqueuer
from tests.faults.ledger import Ledger
from tests.faults.reckoning import broken
from tests.processes.conftest import Start
from tests.tiers import by_tier

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.faults(from_tier=1),
    pytest.mark.timeout(by_tier(120, 120, 1800)),
]

GOOD, POISON = by_tier((500, 10), (500, 10), (5000, 10))
ATTEMPTS = 3
SAID = {
    "exit 0": "its runner exited with code 0",
    "kill": "its runner was killed by SIGKILL",
    "wrong address": "its runner was killed by SIGSEGV",
}


def _mixed(ledger: Ledger, chance: random.Random) -> dict[str, str]:
    """Enqueue them all, in any order; return how each of the bad ones dies."""
    bad = jobs.die_on_record.using(max_attempts=ATTEMPTS, retry_delay=0.01)
    ways = [way for way, _ in zip(cycle(sorted(SAID)), range(POISON), strict=False)]
    order: list[str | None] = [*ways, *[None] * GOOD]
    chance.shuffle(order)
    dies: dict[str, str] = {}

    @transaction.atomic
    def draft() -> None:
        for way in order:
            if way is None:
                jobs.run_on_record.enqueue(str(ledger))
            else:
                dies[str(bad.enqueue(str(ledger), way).id)] = way

    Enqueuer(ledger).store(draft)
    return dies


def test_what_kills_its_runner_is_dead_in_the_end_and_all_else_is_done_once(
    start_worker: Start, record: Ledger, seed: int, record_property: Callable[[str, object], None]
) -> None:
    record_property("size", f"{POISON} among {GOOD:,} jobs")
    dies = _mixed(record, random.Random(seed))
    worker = start_worker("--processes", "4")
    final = [Status.COMPLETED, Status.DEAD]
    worker.until(lambda: not Job.objects.exclude(status__in=final).exists(), patience=60 + GOOD / 50)
    assert worker.stop() == 0
    accounts = Accounts.read(record)
    assert broken(accounts) == []
    assert {job for job, status in accounts.jobs.items() if status == "dead"} == dies.keys()
    assert {before.job for before, _ in accounts.repeats} == dies.keys()
    assert Attempt.objects.filter(outcome="completed").count() == GOOD
    said = JobError.objects.order_by("job_id", "number").values_list("job_id", "number", "kind", "message")
    expected = [
        (job, number, "crash", SAID[way]) for job, way in dies.items() for number in range(1, ATTEMPTS + 1)
    ]
    assert [(str(job), *more) for job, *more in said] == sorted(expected)
