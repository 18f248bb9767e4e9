"""A worker whose connections to PostgreSQL come from PgBouncer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests import jobs_that_misbehave as jobs
from tests.faults.ledger import Ledger as Record
from tests.faults.reckoning import broken
from tests.faults.storm import Storm
from tests.missing import missing
from tests.processes.conftest import PATIENCE, Ledger, Start
from tests.processes.pgbouncer import SESSIONS, TRANSACTIONS, PgBouncer
from tests.processes.test_races import race
from tests.servers import NotInstalled, Server, running
from tests.tiers import by_tier

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("postgresql")]

QUEUES = [f"step-{number}" for number in range(8)]
DEAF = "notifications do not arrive here"
# Long beyond the patience of the tests: what is run within it was not found by polling.
NEVER = 10 * PATIENCE

Note = Callable[[str, object], None]


@pytest.fixture
def pooler(transactional_db: None) -> Iterator[Server]:
    """Return a PgBouncer in front of the tests' server."""
    try:
        with running(PgBouncer) as server:
            yield server
    except NotInstalled as error:
        missing(f"no pooler to stand in between: {error}")


def _pool(pooler: Server, name: str) -> dict[str, str]:
    return {"HOST": "127.0.0.1", "PORT": str(pooler.port), "NAME": name, "USER": "anybody"}


def test_jobs_are_enqueued_and_run_through_a_pool_of_transactions(
    start_worker: Start, pooler: Server, ledger: Ledger
) -> None:
    worker = start_worker(database=_pool(pooler, TRANSACTIONS), POLL_INTERVAL=None)
    jobs.pass_on.using(queue="first").enqueue(str(ledger), QUEUES)
    worker.until(lambda: len(ledger.lines) == len(QUEUES) + 1)
    worker.until(lambda: DEAF in worker.log)
    assert worker.stop() == 0


@pytest.mark.parametrize(("name", "alias"), [(TRANSACTIONS, "direct"), (SESSIONS, None)])
def test_a_direct_connection_or_a_pool_of_sessions_wakes_the_worker(
    start_worker: Start, pooler: Server, ledger: Ledger, name: str, alias: str | None
) -> None:
    worker = start_worker(database=_pool(pooler, name), POLL_INTERVAL=NEVER, LISTEN_ALIAS=alias)
    worker.until_final(jobs.note.enqueue(str(ledger), "up"))
    jobs.pass_on.using(queue="first").enqueue(str(ledger), QUEUES)
    worker.until(lambda: len(ledger.lines) == len(QUEUES) + 2)
    assert DEAF not in worker.log
    assert worker.stop() == 0


def test_a_pool_of_sessions_keeps_the_workers_time_limit_from_other_clients(
    start_worker: Start, pooler: Server, ledger: Ledger
) -> None:
    worker = start_worker(database=_pool(pooler, SESSIONS))
    worker.until_final(jobs.note.enqueue(str(ledger), "up"))
    assert worker.stop() == 0
    for name in (SESSIONS, TRANSACTIONS):
        assert pooler.rows("SHOW statement_timeout", database=name) == [("0",)]


def _behind_transactions(start_worker: Start, pooler: Server) -> Start:
    return partial(start_worker, database=_pool(pooler, TRANSACTIONS))


@pytest.mark.faults(from_tier=1)
@pytest.mark.timeout(by_tier(180, 180, 3600))
def test_workers_behind_a_pool_of_transactions_race_for_the_same_rows_and_start_each_once(
    start_worker: Start, pooler: Server, ledger: Ledger, record_property: Note
) -> None:
    start = _behind_transactions(start_worker, pooler)
    count = race(start, ledger, claim_size=10, count=by_tier(500, 1000, 50_000))
    record_property("size", f"{count:,} jobs")


@pytest.mark.faults(from_tier=1)
@pytest.mark.timeout(by_tier(180, 180, 7200))
def test_workers_behind_a_pool_of_transactions_are_killed_and_lose_nothing(
    start_worker: Start, pooler: Server, record: Record, seed: int, record_property: Note
) -> None:
    count, kills = by_tier((300, 2), (500, 3), (50_000, 100))
    start = _behind_transactions(start_worker, pooler)
    accounts = Storm(start, record, seed=seed).blow(count, kills=kills)
    assert broken(accounts) == []
    record_property("size", f"{count:,} jobs, {kills} kills")
