"""A wish to cancel meets a job wherever it is: in the buffer, in the socket, in a runner, or at its end."""

from __future__ import annotations

import pytest

from django_jobs.engines.rows import Cancel
from django_jobs.states import AttemptOutcome
from django_jobs.wire.slips import SlipState, StopReason
from django_jobs.worker.work import GivenBack
from tests.worker.making import claimed, completed, held, shop


def test_a_run_that_is_asked_to_cancel_is_told_and_goes_on() -> None:
    with shop() as place:
        place.born(0, 1)
        place.hand_out(first := claimed(), second := claimed())
        place.begins(0)
        place.begins(1)
        for _ in range(2):  # it is told again and again
            place.floor.cancel([Cancel(held(first), forced=False)])
        assert [place.slips[slot].cancel_asked()() for slot in (0, 1)] == [True, False]
        assert [place.slips[slot].stop_asked for slot in (0, 1)] == [None, None]
        assert not place.floor.take_work()
        assert held(second) in place.handout.out


def test_a_run_that_is_to_be_cancelled_by_force_is_stopped() -> None:
    with shop() as place:
        place.born(0)
        place.hand_out(job := claimed())
        place.begins(0)
        place.floor.cancel([Cancel(held(job), forced=True)])
        assert place.slips[0].stop_asked is StopReason.CANCEL
        place.dies(0)
        ((_, outcome),) = place.floor.take_work().finished
        assert (outcome.outcome, outcome.error) == (AttemptOutcome.CANCELLED, None)


@pytest.mark.parametrize("forced", [False, True])
def test_a_job_in_buffer_or_socket_that_is_to_be_cancelled_goes_back_without_having_run(forced: bool) -> None:
    with shop() as place:
        place.born(0)
        place.hand_out(*(jobs := [claimed() for _ in range(8)]))
        place.begins(0)
        assert 1 < len(place.handout.out) < 8
        asked = [jobs[1], jobs[7]]
        place.floor.cancel([Cancel(held(job), forced=forced) for job in asked])
        assert place.floor.take_work().given_back == [GivenBack(job) for job in asked]
        place.floor.hand_out()
        place.slips[0].say(SlipState.IDLE)
        assert place.begins(0) == jobs[2].id


def test_a_job_that_a_runner_has_just_read_is_told_the_next_time() -> None:
    with shop() as place:
        place.born(0)
        place.hand_out(job := claimed())
        assignment = place.reads(0)
        asked = [Cancel(held(job), forced=False)]
        place.floor.cancel(asked)
        place.slips[0].busy(assignment.job_id, assignment.token, 5)
        assert not place.slips[0].cancel_asked()()
        place.floor.cancel(asked)
        assert place.slips[0].cancel_asked()()


def test_a_wish_that_comes_after_the_end_does_nothing() -> None:
    with shop() as place:
        place.born(0)
        place.hand_out(job := claimed())
        place.begins(0)
        place.finishes(0, completed(job))
        place.floor.collect()
        place.floor.cancel([Cancel(held(job), forced=True)])
        assert (place.slips[0].stop_asked, place.starter.killed) == (None, [])
