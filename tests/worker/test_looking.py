"""How the desk looks for jobs while a look at everything is dear."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError

from django_jobs.engines.rows import ClaimedJob
from django_jobs.engines.stretches import Place
from django_jobs.worker import floors
from tests.worker.making import claimed
from tests.worker.test_desk import Office


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Return a desk to which every look at everything is dear."""
    monkeypatch.setattr(floors, "COSTLY", -1.0)
    monkeypatch.setattr(floors, "EACH", 0.0)
    its = Office()
    yield its
    its.close()


def test_the_next_claim_begins_where_the_last_one_left_off(office: Office) -> None:
    first = claimed()
    _claim_the_first_of(first, claimed(), office=office)
    assert office.engine.past == []
    office.inbox.want(1, received=1)
    office.passes()
    assert office.engine.past == [Place(first.queue, first.priority, first.run_after, first.id)]


def test_where_no_claim_can_begin_in_the_middle_the_desk_looks_once_however_dear_it_is(
    office: Office,
) -> None:
    office.engine.claims_past = False
    _claim_the_first_of(claimed(), claimed(), office=office)
    office.engine.calls.clear()
    office.inbox.want(2, received=1)
    office.passes()
    assert office.engine.calls.count("claim") == 1
    assert office.engine.past == []


def test_where_that_finds_too_few_everything_is_looked_at_before_the_desk_rests(office: Office) -> None:
    _claim_the_first_of(claimed(), claimed(), office=office)
    office.engine.calls.clear()
    office.inbox.want(2, received=1)
    office.passes()
    assert office.engine.calls.count("claim") == 2
    assert office.engine.past == []
    assert office.inbox.wanted == 1


def test_a_conflict_of_the_second_look_forgets_nothing_that_the_first_has_claimed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = claimed()
    _claim_the_first_of(claimed(), second, office=office)
    office.news()
    claim, looks = office.engine.claim, iter((None, OperationalError("conflict"), None))

    def conflicting(*given: Any, **terms: Any) -> list[ClaimedJob]:
        if conflict := next(looks):
            raise conflict
        return claim(*given, **terms)

    monkeypatch.setattr(office.engine, "claim", conflicting)
    monkeypatch.setattr(office.engine, "repeated", _once_more)
    office.inbox.want(2, received=1)
    office.passes()
    assert next(looks, "none is left") == "none is left"
    assert [job.id for news in office.news() for job in news.jobs] == [second.id]


def test_a_claim_that_is_tried_again_is_made_for_a_whole_lease(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases: list[datetime] = []

    def conflicting(*given: Any, lease: datetime, **terms: Any) -> list[ClaimedJob]:
        leases.append(lease)
        if len(leases) == 1:
            raise OperationalError("conflict")
        return []

    _claim_the_first_of(claimed(), claimed(), office=office)
    monkeypatch.setattr(office.engine, "claim", conflicting)
    monkeypatch.setattr(office.engine, "repeated", _once_more)
    seconds = itertools.count()
    begun = office.desk._clock.now()
    monkeypatch.setattr(office.desk._clock, "now", lambda: begun + timedelta(seconds=next(seconds)))
    office.inbox.want(2, received=1)
    office.passes()
    assert leases[1] > leases[0]


def _once_more(write: Callable[[], Any]) -> Any:
    try:
        return write()
    except OperationalError:
        return write()


def _claim_the_first_of(*jobs: ClaimedJob, office: Office) -> None:
    office.engine.ready += jobs
    office.inbox.want(1, received=0)
    office.passes()
