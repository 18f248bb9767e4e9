"""Runners and workers killed again and again, among many jobs: none is lost, no run has no cause."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_jobs.conf import Conf
from tests.conftest import TEST_DATABASE
from tests.faults.accounts import Accounts
from tests.faults.ledger import Ledger
from tests.faults.reckoning import broken
from tests.faults.storm import Storm
from tests.processes.conftest import Start
from tests.tiers import TIER, by_tier

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.faults,
    pytest.mark.timeout(by_tier(120, 300, 7200)),
]

# A lease that is over is seen by the next worker; on SQLite by one that has watched it for as long, which may
# have to be started for it.
LEASES = 2 if TEST_DATABASE == "sqlite" else 1

Note = Callable[[str, object], None]


def test_no_job_is_lost_and_each_second_run_has_its_kill(
    start_worker: Start, record: Ledger, seed: int, record_property: Note
) -> None:
    count, kills = by_tier((300, 2), (2000, 10), (50_000, 100))
    accounts = Storm(start_worker, record, seed=seed).blow(count, kills=kills)
    _assert_all_is_well(accounts, kills, record_property)
    assert TIER < 2 or _settled(accounts) < LEASES * 2.0 + 0.1 + 1
    record_property("size", f"{count:,} jobs, {kills} kills")


@pytest.mark.faults(from_tier=2)
def test_no_job_is_lost_under_the_usual_settings(
    start_worker: Start, record: Ledger, seed: int, record_property: Note
) -> None:
    count, kills = 5000, 20
    usual = {name: getattr(Conf(), name) for name in ("LEASE", "RESCUE_INTERVAL", "POLL_INTERVAL")}
    accounts = Storm(start_worker, record, seed=seed, **usual).blow(count, kills=kills)
    _assert_all_is_well(accounts, kills, record_property)
    assert _settled(accounts) < LEASES * usual["LEASE"] + usual["RESCUE_INTERVAL"] + 1
    record_property("size", f"{count:,} jobs, {kills} kills")


def _assert_all_is_well(accounts: Accounts, kills: int, record_property: Note) -> None:
    assert broken(accounts) == []
    assert [fault.kind for fault in accounts.faults].count("KILL") == kills
    record_property(
        "figure", ("second runs, each of one that a kill had met", accounts.repeated_after("KILL"))
    )
    stood_still = accounts.repeated_after("FREEZE")
    record_property("figure", ("second runs because the machine stood still", stood_still))
    for seconds in accounts.rescues:
        record_property("figure", ("settled after its worker was killed (s)", seconds))


def _settled(accounts: Accounts) -> float:
    """Return how long after their worker's death nineteen of twenty lost runs were settled (seconds)."""
    taken = sorted(accounts.rescues) or [0.0]
    return taken[int(len(taken) * 0.95)]
