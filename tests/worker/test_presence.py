"""The worker in the list of workers: there while it runs, and in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import ProgrammingError

from tests.worker.making import claimed
from tests.worker.test_desk import WORKER, Office


@pytest.fixture
def office() -> Iterator[Office]:
    """Return a desk without duties."""
    made = Office()
    yield made
    made.close()


def renew(office: Office) -> None:
    """Let a renewal be due, and make a pass."""
    office.desk._renew_at = 0.0
    office.passes()


def test_a_worker_is_shown_from_its_first_pass_and_seen_with_each_renewal(office: Office) -> None:
    office.passes()
    first = office.engine.workers[WORKER.id]
    office.passes()
    assert office.engine.calls.count("appear") == 1
    renew(office)
    assert office.engine.workers[WORKER.id] > first


def test_it_is_shown_after_the_claims_and_acks(office: Office) -> None:
    office.claims(claimed())
    assert office.engine.calls[-1] == "appear"


@pytest.mark.parametrize("error", ["away", "wrong"])
def test_a_list_that_fails_keeps_no_claim_from_being_made(
    office: Office,
    error: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    office.engine.away("appear")
    if error == "wrong":
        office.engine.fails["appear"] = ProgrammingError("no such table")
    office.passes()
    assert len(office.claims(claimed(), claimed())) == 2
    renew(office)
    assert office.engine.connection.closed == 0
    assert caplog.text.count("the list of workers is not right") == 1


def test_a_worker_that_stops_is_taken_off_the_list(office: Office) -> None:
    office.passes()
    office.desk.stop()
    office.desk._run()
    assert office.engine.workers == {}
    assert office.engine.connection.closed == 1


def test_a_worker_that_stops_while_the_database_is_away_does_not_wait_for_it(office: Office) -> None:
    office.engine.away("read_clock")
    office.desk.stop()
    office.passes()
    office.desk._run()
    assert "vanish" not in office.engine.calls


def test_a_failure_to_leave_the_list_is_no_failure_to_stop(office: Office) -> None:
    office.engine.away("vanish")
    office.desk.stop()
    office.desk._run()
    assert office.engine.calls[-1] == "vanish"
