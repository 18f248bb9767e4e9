"""A database that is ended and started again, again and again, while others enqueue: nothing is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from django.db import connection

from django_jobs.models import Job
from django_jobs.states import FINAL
from tests.conftest import TEST_DATABASE
from tests.faults.accounts import Accounts
from tests.faults.ledger import Ledger
from tests.faults.reckoning import broken
from tests.processes.conftest import PATIENCE, Ask, Start, WorkerProcess, children, entry_of
from tests.servers import Server
from tests.tiers import by_tier

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.only_on("postgresql", "mariadb"),
    pytest.mark.faults(from_tier=1),
    pytest.mark.timeout(by_tier(180, 180, 3600)),
]

OUTAGE = "server *"
# For how long the server is away (seconds), at random up to the first; and each of the others once.
SHORT, LONG = by_tier(1.5, 1.5, 4.0), by_tier((), (), (30.0, 60.0, 90.0))
RESTARTS = by_tier(3, 3, {"postgresql": 25, "mariadb": 10}.get(TEST_DATABASE, 0))
# The workers must be at work so long after the server answers again (seconds); asserted in the highest tier.
BUSY_AGAIN = by_tier(60.0, 60.0, 10.0)


def _pauses(chance: random.Random) -> list[float]:
    pauses = [*LONG, *(chance.uniform(0, SHORT) for _ in range(RESTARTS - len(LONG)))]
    chance.shuffle(pauses)
    return pauses


def _at_work_since(moment: float, workers: list[WorkerProcess], record: Ledger) -> bool:
    nurseries = {str(child): worker for worker in workers for child in children(worker.pid)}
    busy = {nurseries.get(entry.note) for entry in record.lines() if entry.clock > moment}
    return busy.issuperset(workers)


def test_no_job_and_no_worker_is_lost_however_often_the_server_is_restarted(
    start_worker: Start,
    start_asking: Ask,
    record: Ledger,
    server: Server,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    chance = random.Random(seed)
    workers = [start_worker("--processes", "2", database=entry_of(server), LEASE=2) for _ in range(2)]
    askers = [start_asking(record, chance.randrange(2**32), database=entry_of(server)) for _ in range(2)]
    moment = 0.0
    record_property("size", f"{RESTARTS} restarts, away up to {max([SHORT, *LONG]):g} s")
    for number, pause in enumerate(_pauses(chance)):
        workers[0].until(lambda since=moment: _at_work_since(since, workers, record))
        way = server.ends[number % len(server.ends)]
        record.write("OUTAGE", note=OUTAGE)
        server.end(way)
        time.sleep(pause)
        server.start()
        record.write("BACK", note=OUTAGE)
        moment = time.monotonic()
        workers[0].until(lambda since=moment: _at_work_since(since, workers, record), patience=BUSY_AGAIN)
        record_property("figure", (f"at work again after {way.name} (s)", time.monotonic() - moment))
        assert [worker.process.poll() for worker in workers] == [None, None]
    for asker in askers:
        asker.terminate()
    assert [asker.wait(PATIENCE) for asker in askers] == [0, 0]
    connection.close()
    workers[0].until(lambda: not Job.objects.exclude(status__in=FINAL).exists())
    assert [worker.stop() for worker in workers] == [0, 0]
    assert broken(Accounts.read(record)) == []
