"""What was claimed ahead behind short jobs does not wait behind long ones."""

from __future__ import annotations

import pytest

from django_jobs.wire.clock import boottime_ns
from django_jobs.worker.limits import LOOK_EVERY
from django_jobs.worker.pace import PATIENCE, PAYLOADS_MOST
from tests.worker.making import Shop, claimed, completed

LONG_AGO = int((PATIENCE + 1) * 1e9)


@pytest.fixture
def trained(floor_with_two: Shop) -> Shop:
    """Return a floor that has learnt from many short runs."""
    for _ in range(100):
        floor_with_two.pace.observe(seconds=0.0001, payload=100)
    return floor_with_two


def _given_back(shop: Shop) -> list[object]:
    return [given.job for given in shop.floor.take_work().given_back]


def test_what_waits_is_given_back_when_every_slot_has_become_busy_for_long(trained: Shop) -> None:
    shop, jobs = trained, [claimed() for _ in range(100)]
    shop.hand_out(*jobs)
    for slot in (0, 1):
        shop.begins(slot, started_ns=boottime_ns() - LONG_AGO)
    shop.floor.enforce()
    assert _given_back(shop) == jobs[2:]
    assert len(shop.handout) == 2


def test_as_many_are_not_claimed_again_at_once(trained: Shop) -> None:
    shop = trained
    assert shop.floor.room > 2
    shop.hand_out(*[claimed() for _ in range(10)])
    for slot in (0, 1):
        shop.begins(slot, started_ns=boottime_ns() - LONG_AGO)
    shop.floor.enforce()
    assert shop.floor.room == 0


@pytest.mark.parametrize("ago", [None, 0])
def test_nothing_is_given_back_while_one_slot_is_free_or_has_just_become_busy(
    trained: Shop, ago: int | None
) -> None:
    shop = trained
    shop.hand_out(*[claimed() for _ in range(10)])
    shop.begins(0, started_ns=boottime_ns() - LONG_AGO)
    if ago is not None:
        shop.begins(1, started_ns=boottime_ns() - ago)
    shop.floor.enforce()
    assert _given_back(shop) == []


def test_what_is_handed_out_is_looked_at_soon_although_nothing_tells_of_it(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed(timeout=1.0)
    assert shop.floor.hand_out() == float("inf")
    shop.floor.take_in([job])
    assert shop.floor.hand_out() == LOOK_EVERY
    shop.begins(0)
    shop.finishes(0, completed(job))
    shop.floor.collect()
    assert shop.floor.hand_out() == float("inf")


def test_what_was_given_back_is_counted_before_and_after_it_is_taken(trained: Shop) -> None:
    shop, jobs = trained, [claimed() for _ in range(5)]
    shop.hand_out(*jobs)
    for slot in (0, 1):
        shop.begins(slot, started_ns=boottime_ns() - LONG_AGO)
    shop.floor.enforce()
    assert shop.floor.given_back == 3
    shop.floor.take_work()
    shop.finishes(0, completed(jobs[0]))
    shop.floor.collect()
    assert shop.floor.given_back == 3


def test_what_jobs_have_saved_counts_as_what_they_carry(trained: Shop) -> None:
    shop, saved = trained, "m" * 64 * 1024
    for _ in range(100):
        job = claimed(meta=saved)
        shop.hand_out(job)
        shop.begins(0)
        shop.finishes(0, completed(job))
        shop.floor.collect()
    assert (shop.floor.room - 2) * len(saved) <= PAYLOADS_MOST * 1.01
