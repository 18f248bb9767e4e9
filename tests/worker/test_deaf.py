"""A runner that says that it waits, and takes no job, is replaced."""

from __future__ import annotations

from django_jobs.wire.slips import SlipState
from django_jobs.worker.deaf import LOOKS
from tests.worker.making import Shop, claimed, completed, pid_of


def _look(shop: Shop, times: int = 1) -> None:
    for _ in range(times):
        shop.floor._look_at = 0.0
        shop.floor.enforce()


def test_one_that_takes_no_message_is_killed_and_the_job_goes_to_another(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.slips[1].say(SlipState.EMPTY)
    shop.hand_out(job)
    _look(shop, LOOKS - 1)
    assert shop.starter.killed == []
    _look(shop)
    assert shop.starter.killed == [(0, pid_of(0))]
    shop.dies(0)
    assert shop.floor.take_work().given_back == []
    shop.born(1)
    shop.floor.hand_out()
    assert shop.begins(1) == job.id


def test_one_that_is_idle_at_each_look_between_short_jobs_is_not(floor_with_two: Shop) -> None:
    shop = floor_with_two
    for _ in range(LOOKS + 1):
        job = claimed()
        shop.hand_out(job)
        _look(shop)
        for slot in (0, 1):
            shop.slips[slot].busy(job.id, job.token, 5)
            shop.slips[slot].say(SlipState.IDLE)
        shop.floor._handout.recall()
        shop.floor._handout.empty_buffer()
    assert shop.starter.killed == []


def test_one_for_whom_there_is_nothing_is_not(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.begins(1)
    _look(shop, LOOKS + 1)
    assert shop.starter.killed == []


def test_looks_are_counted_anew_when_the_socket_was_empty(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    _look(shop, LOOKS - 1)
    shop.begins(1)
    _look(shop)
    shop.finishes(1, completed(job))
    shop.floor.collect()
    shop.hand_out(claimed())
    _look(shop)
    assert shop.starter.killed == []


def test_one_that_is_still_starting_is_not(floor_with_two: Shop) -> None:
    shop = floor_with_two
    for slot in (0, 1):
        shop.slips[slot].say(SlipState.EMPTY)
    shop.hand_out(claimed())
    _look(shop, LOOKS + 1)
    assert shop.starter.killed == []
