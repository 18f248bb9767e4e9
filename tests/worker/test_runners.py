"""Who is alive, who is made again and when."""

from __future__ import annotations

import pytest

from django_jobs.wire.clock import boottime, boottime_ns
from django_jobs.wire.slips import SlipState
from django_jobs.worker import runners as runners_module
from django_jobs.worker.runners import FIRST_PAUSE, LEAVE_WITHIN, LONGEST_PAUSE
from django_jobs.worker.starting import What
from django_jobs.worker.verdicts import Verdict
from tests.worker.making import FakeStarter, Shop, claimed, completed, pid_of, shop


class Time:
    """A clock that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = boottime()
        monkeypatch.setattr(runners_module, "boottime", lambda: self.now)


def test_a_runner_is_ordered_once_for_each_slot(floor_with_two: Shop) -> None:
    floor_with_two.staff()
    assert floor_with_two.starter.started == [0, 1]


def test_runners_that_cannot_start_are_ordered_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time(monkeypatch)
    with shop(count=1) as made:
        pauses = []
        for _ in range(10):
            made.staff()
            made.runners.born(0, pid_of(0))
            made.runners.died(0)
            pauses.append(made.staff())
            time.now += pauses[-1]
        assert pauses[0] == pytest.approx(FIRST_PAUSE)
        assert pauses == sorted(pauses)
        assert pauses[-1] == pytest.approx(LONGEST_PAUSE)


def test_births_that_fail_are_tried_again_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time(monkeypatch)
    with shop(count=1) as made:
        for _ in range(10):
            made.staff()
            pause = made.runners.failed(0)
            assert made.staff() == pytest.approx(pause)
            time.now += pause
        assert pause == LONGEST_PAUSE
        assert len(made.starter.started) == 10


def test_a_runner_that_ends_because_it_was_told_to_stop_is_replaced_at_once(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.begins(0)
    shop.floor.stop_running(Verdict.SHUTDOWN)
    shop.leaves(0, completed(job))
    shop.dies(0, status=0)
    shop.staff()
    assert shop.starter.started == [0, 1, 0]


def test_a_runner_that_died_with_its_job_is_replaced_at_once(floor_with_two: Shop) -> None:
    shop = floor_with_two
    shop.hand_out(claimed())
    shop.begins(0)
    shop.dies(0)
    shop.staff()
    assert shop.starter.started == [0, 1, 0]


def test_a_runner_that_leaves_in_order_is_replaced_at_once_however_young(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.begins(0)
    shop.finishes(0, completed(job))
    shop.slips[0].say(SlipState.LEAVING)
    shop.dies(0, status=0)
    assert shop.staff() == float("inf")
    assert shop.starter.started == [0, 1, 0]
    work = shop.floor.take_work()
    assert [outcome.outcome for _, outcome in work.finished] == ["completed"]
    assert not work.given_back


def test_a_runner_that_leaves_takes_no_part_in_a_recount(floor_with_two: Shop) -> None:
    shop = floor_with_two
    shop.hand_out(claimed())
    shop.begins(1)
    shop.slips[0].say(SlipState.LEAVING)
    shop.dies(1)
    assert not shop.floor.recounting


def test_a_runner_that_leaves_and_does_not_end_is_killed(
    floor_with_two: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, time = floor_with_two, Time(monkeypatch)
    shop.slips[0].say(SlipState.LEAVING)
    assert shop.floor.enforce() == pytest.approx(LEAVE_WITHIN)
    time.now += LEAVE_WITHIN - 1
    assert shop.floor.enforce() == pytest.approx(1)
    assert shop.starter.killed == []
    time.now += 1
    shop.floor.enforce()
    shop.floor.enforce()
    assert shop.starter.killed == [(0, pid_of(0))]
    shop.dies(0)
    shop.born(0)
    shop.slips[0].say(SlipState.LEAVING)  # the next one in this slot has its own time
    assert shop.floor.enforce() == pytest.approx(LEAVE_WITHIN)
    assert len(shop.starter.killed) == 1


def test_the_first_verdict_stands(floor_with_two: Shop) -> None:
    shop = floor_with_two
    shop.hand_out(claimed())
    shop.begins(0)
    shop.floor.kill_running(Verdict.LEASE)
    shop.floor.kill_running(Verdict.SHUTDOWN)
    assert shop.starter.killed == [(0, pid_of(0))]
    assert [verdict for _, verdict in shop.runners.died(0)] == [Verdict.LEASE]


def test_a_verdict_does_not_pass_to_the_next_runner(floor_with_two: Shop) -> None:
    shop = floor_with_two
    shop.hand_out(claimed())
    shop.begins(0)
    shop.floor.kill_running(Verdict.LEASE)
    shop.dies(0)
    shop.born(0)
    shop.hand_out(claimed())
    shop.begins(0)
    assert [verdict for _, verdict in shop.runners.died(0)] == [None]


def test_a_new_way_of_making_runners_begins_with_empty_slips() -> None:
    with shop(count=2) as made:
        made.staff()
        made.runners.born(0, pid_of(0))
        made.slips[1].busy(claimed().id, 7, boottime_ns())  # works, and its birth was never heard
        deaths = made.runners.adopt(FakeStarter())
        assert made.starter.stopped == 1
        assert [(death.what, death.slot) for death in deaths] == [(What.DIED, 0)]
        for death in deaths:
            made.floor.bury(death)
        assert [made.slips[slot].state for slot in (0, 1)] == [SlipState.EMPTY] * 2
        made.staff()
        assert made.runners.starter.started == [0, 1]
