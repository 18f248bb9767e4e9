"""A job that was interrupted too often has a runner of its own, and takes nothing from the others."""

from __future__ import annotations

from typing import Any

import pytest

from django_jobs.engines.rows import MAX_INTERRUPTIONS, ClaimedJob
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.slips import SlipState
from django_jobs.worker.floor import ALONE_DELAY_LEAST, ALONE_DELAY_MOST
from django_jobs.worker.pace import PATIENCE
from django_jobs.worker.work import GivenBack
from tests.worker.making import FakeStarter, Shop, claimed, completed, held

ALONE = 2  # the slot behind the two


def _often(**columns: Any) -> ClaimedJob:
    return claimed(interruptions=MAX_INTERRUPTIONS, **columns)


def _begun(shop: Shop, **columns: Any) -> ClaimedJob:
    job = _often(**columns)
    shop.hand_out(job)
    shop.born(ALONE)
    assert shop.begins(ALONE) == job.id
    return job


def test_it_is_read_only_by_the_runner_that_works_alone(floor_with_two: Shop) -> None:
    shop, alone, other = floor_with_two, _often(), claimed()
    shop.hand_out(alone, other)
    assert shop.begins(0) == other.id
    shop.born(ALONE)
    assert shop.begins(ALONE) == alone.id
    shop.leaves(ALONE, completed(alone))
    shop.floor.collect()
    assert [job for job, _ in shop.floor.take_work().finished] == [alone]
    assert not shop.floor.has_one_alone


def test_one_interruption_less_is_shared_with_the_others(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed(interruptions=MAX_INTERRUPTIONS - 1)
    shop.hand_out(job)
    assert shop.begins(0) == job.id


def test_its_runner_is_made_when_there_is_a_job_for_it_and_not_again_after_it(floor_with_two: Shop) -> None:
    shop = floor_with_two
    assert shop.starter.started == [0, 1]
    job = _begun(shop)
    assert shop.starter.started == [0, 1, ALONE]
    shop.leaves(ALONE, completed(job))
    shop.floor.collect()
    shop.dies(ALONE, status=0)
    shop.staff()
    assert shop.starter.started == [0, 1, ALONE]
    _begun(shop)
    assert shop.starter.started == [0, 1, ALONE, ALONE]


def test_a_second_one_is_given_back_for_a_while_with_the_reason(floor_with_two: Shop) -> None:
    shop, first, second = floor_with_two, _often(), _often()
    shop.hand_out(first, second)
    given = GivenBack(second, ALONE_DELAY_LEAST, "waits to run alone", turned_away=True)
    assert shop.floor.take_work().given_back == [given]
    assert list(shop.handout.out) == [held(first)]


@pytest.mark.parametrize(
    ("seconds", "delay"), [(4, ALONE_DELAY_LEAST), (300, 30.0), (100_000, ALONE_DELAY_MOST)]
)
def test_the_longer_one_runs_the_less_often_the_others_are_looked_at(
    floor_with_two: Shop, monkeypatch: pytest.MonkeyPatch, seconds: float, delay: float
) -> None:
    shop = floor_with_two
    _begun(shop)
    assert 0 < shop.runners.alone_for() < seconds
    monkeypatch.setattr(shop.runners, "alone_for", lambda: seconds)
    shop.floor.take_in([_often()])
    assert [given.delay for given in shop.floor.take_work().given_back] == [delay]


def test_it_takes_no_slot_from_the_others(floor_with_two: Shop) -> None:
    shop = floor_with_two
    room = shop.floor.room
    _begun(shop)
    assert shop.floor.room == room
    shop.hand_out(claimed(), claimed())
    assert len(shop.handout.out) == 3


def test_who_works_alone_makes_no_slot_of_the_others_busy(floor_with_two: Shop) -> None:
    shop = floor_with_two
    long_ago = boottime_ns() - int((PATIENCE + 1) * 1e9)
    shop.hand_out(_often(), claimed())
    shop.born(ALONE)
    shop.begins(ALONE, started_ns=long_ago)
    shop.begins(0, started_ns=long_ago)
    assert shop.runners.busy_for() == 0


def test_it_does_not_wait_in_vain_while_its_runner_starts_and_the_others_are_busy(
    floor_with_two: Shop,
) -> None:
    shop, job = floor_with_two, _often()
    long_ago = boottime_ns() - int((PATIENCE + 1) * 1e9)
    shop.hand_out(claimed(), claimed(), job)
    for slot in (0, 1):
        shop.begins(slot, started_ns=long_ago)
    shop.floor.enforce()
    assert shop.floor.take_work().given_back == []
    shop.born(ALONE)
    assert shop.begins(ALONE) == job.id


def test_the_death_of_its_runner_is_its_own(floor_with_two: Shop) -> None:
    shop, other = floor_with_two, claimed()
    job = _begun(shop)
    shop.hand_out(other)
    shop.begins(0)
    shop.dies(ALONE)
    assert [(each, outcome.outcome) for each, outcome in shop.floor.take_work().finished] == [
        (job, "crashed")
    ]
    assert list(shop.handout.out) == [held(other)]


def test_a_runner_that_dies_before_it_has_read_costs_it_nothing(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, _often()
    shop.hand_out(job)
    shop.born(ALONE)
    shop.dies(ALONE)
    assert not shop.floor.take_work()
    shop.floor.hand_out()
    shop.born(ALONE)
    assert shop.begins(ALONE) == job.id


def test_a_runner_that_dies_while_it_reads_gives_it_back(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, _often()
    shop.hand_out(job)
    shop.born(ALONE)
    shop.reads(ALONE)
    shop.dies(ALONE)
    assert shop.floor.take_work().given_back == [GivenBack(job)]
    assert shop.floor.empty


def test_the_deaths_of_others_leave_it_where_it_is(floor_with_two: Shop) -> None:
    shop = floor_with_two
    job = _begun(shop)
    shop.hand_out(claimed())
    shop.reads(0)
    shop.dies(0)
    assert not shop.floor.recounting
    assert list(shop.handout.out) == [held(job)]


def test_a_recount_waits_until_its_runner_says_what_it_has(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, _often()
    shop.hand_out(job)
    shop.born(ALONE)
    shop.reads(ALONE)
    shop.dies(0)
    assert shop.floor.recounting
    shop.slips[ALONE].busy(job.id, job.token, boottime_ns())
    shop.floor.go_on_recounting()
    assert not shop.floor.recounting


@pytest.mark.parametrize("way", ["pause", "end"])
def test_what_has_not_begun_is_given_back(floor_with_two: Shop, way: str) -> None:
    shop, job = floor_with_two, _often(queue="mail")
    shop.hand_out(job)
    if way == "pause":
        shop.floor.pause({"mail"})
    else:
        shop.floor.recount()
        shop.floor.give_back()
    assert shop.floor.take_work().given_back == [GivenBack(job)]
    assert shop.floor.empty


def test_a_new_way_of_making_runners_makes_one_that_works_alone_as_well(floor_with_two: Shop) -> None:
    shop = floor_with_two
    job = _begun(shop)
    for death in shop.runners.adopt(FakeStarter()):
        shop.floor.bury(death)
    ends = shop.floor.take_work().finished
    assert [(each, outcome.outcome) for each, outcome in ends] == [(job, "interrupted")]
    assert shop.slips[ALONE].state is SlipState.EMPTY
    shop.hand_out(_often())
    shop.staff()
    assert shop.runners.starter.started == [0, 1, ALONE]  # type: ignore[attr-defined]
