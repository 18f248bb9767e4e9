"""Time limits, starts worth a write, and claims that were lost."""

from __future__ import annotations

import pytest

from django_jobs.states import AttemptOutcome
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.slips import SlipState, StopReason
from django_jobs.worker import limits
from tests.worker.making import Shop, claimed, completed, held, pid_of

SECOND = 10**9


def _long_ago(seconds: float) -> int:
    return boottime_ns() - int(seconds * SECOND)


def test_a_run_over_its_timeout_is_told_to_stop_once(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed(timeout=5.0)
    shop.hand_out(job)
    shop.begins(0, started_ns=_long_ago(6))
    shop.floor.enforce()
    shop.floor.enforce()
    assert shop.starter.interrupted == [(0, pid_of(0))]
    assert shop.slips[0].stop_asked is StopReason.TIMEOUT


def test_a_run_asks_for_a_look_at_its_limit(floor_with_two: Shop) -> None:
    shop = floor_with_two
    shop.hand_out(claimed(timeout=5.0))
    shop.begins(0, started_ns=_long_ago(4.9))
    assert 0 < shop.floor.enforce() <= 0.1


def test_a_run_that_wants_it_is_interrupted_once_at_its_soft_limit(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed(options='{"soft_timeout": 2, "soft_timeout_raises": true}')
    shop.hand_out(job)
    shop.begins(0, started_ns=_long_ago(1.9))
    assert 0 < shop.floor.enforce() <= 0.1
    assert shop.starter.interrupted == []
    shop.slips[0].busy(job.id, job.token, _long_ago(2.1))
    shop.floor.enforce()
    shop.floor.enforce()
    assert shop.starter.interrupted == [(0, pid_of(0))]
    assert shop.slips[0].stop_asked is StopReason.SOFT_TIMEOUT


@pytest.mark.parametrize("options", [None, '{"soft_timeout": 2}', '{"soft_timeout_raises": true}', "no JSON"])
def test_a_run_that_does_not_is_left_alone_at_its_soft_limit(
    floor_with_two: Shop, options: str | None
) -> None:
    shop = floor_with_two
    shop.hand_out(claimed(options=options))
    shop.begins(0, started_ns=_long_ago(3))
    shop.floor.enforce()
    assert shop.starter.interrupted == []


def test_the_hard_limit_comes_after_the_soft_one(floor_with_two: Shop) -> None:
    shop, options = floor_with_two, '{"soft_timeout": 2, "soft_timeout_raises": true}'
    job = claimed(timeout=5.0, options=options)
    shop.hand_out(job)
    shop.begins(0, started_ns=_long_ago(3))
    shop.floor.enforce()
    shop.slips[0].busy(job.id, job.token, _long_ago(6))
    shop.floor.enforce()
    assert shop.slips[0].stop_asked is StopReason.TIMEOUT


def test_a_reminder_is_sent_again_a_few_times_and_not_after_the_order_to_stop(
    floor_with_two: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = floor_with_two
    shop.hand_out(claimed(timeout=9.0, options='{"soft_timeout": 2, "soft_timeout_raises": true}'))
    start = boottime_ns()
    shop.begins(0, started_ns=start)
    for seconds, sent in [(1.9, 0), (2.1, 1), (2.2, 1), (2.35, 2), (2.6, 3), (2.9, 4), (4, 5), (6, 5)]:
        monkeypatch.setattr(limits, "boottime_ns", lambda ns=start + int(seconds * SECOND): ns)
        assert shop.floor.enforce() > 0
        assert len(shop.starter.interrupted) == sent
    monkeypatch.setattr(limits, "boottime_ns", lambda: start + 10 * SECOND)
    shop.floor.enforce()
    assert (shop.slips[0].stop_asked, len(shop.starter.interrupted)) == (StopReason.TIMEOUT, 6)


def test_the_job_that_follows_a_lost_one_is_not_dropped(floor_with_two: Shop) -> None:
    shop, lost, next_one = floor_with_two, claimed(), claimed()
    shop.hand_out(lost, next_one)
    shop.begins(0)
    shop.floor.lose([held(lost)])
    shop.floor.enforce()
    assert shop.starter.killed == [(0, pid_of(0))]
    shop.finishes(0, completed(lost))
    shop.hand_out()
    shop.begins(0)
    shop.dies(0)
    outcomes = {job.id: outcome.outcome for job, outcome in shop.floor.take_work().finished}
    assert outcomes[next_one.id] is AttemptOutcome.INTERRUPTED


def test_a_lost_run_is_killed_and_nothing_said_of_it(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.begins(0)
    shop.floor.lose([held(job)])
    shop.floor.enforce()
    shop.dies(0)
    assert not shop.floor.take_work()
    assert shop.floor.empty


def test_a_lost_job_that_nobody_has_read_is_forgotten(floor_with_two: Shop) -> None:
    shop, job, kept = floor_with_two, claimed(), claimed()
    shop.hand_out(job, kept)
    shop.floor.lose([held(job)])
    shop.floor.hand_out()
    assert shop.begins(0) == kept.id
    assert list(shop.handout.out) == [held(kept)]


def test_a_start_is_stored_once_and_only_after_a_second(floor_with_two: Shop) -> None:
    shop, long, short = floor_with_two, claimed(timeout=None), claimed(timeout=None)
    shop.hand_out(long, short)
    start = _long_ago(2)
    shop.begins(0, started_ns=start)
    shop.begins(1)
    shop.floor.enforce()
    shop.floor.enforce()
    assert shop.floor.take_work().begun == [(held(long), start)]


@pytest.mark.parametrize("timeout", [1e300, 2**62])
def test_a_timeout_beyond_all_time_is_none(floor_with_two: Shop, timeout: float) -> None:
    shop = floor_with_two
    shop.hand_out(claimed(timeout=timeout))
    shop.begins(0)
    assert shop.floor.enforce() == limits.LOOK_EVERY
    assert shop.starter.killed == []


def test_nothing_grows_with_the_jobs_that_went_by(floor_with_two: Shop) -> None:
    shop = floor_with_two
    for _ in range(50):
        job = claimed(timeout=3.0, options='{"soft_timeout": 1, "soft_timeout_raises": true}')
        shop.hand_out(job)
        shop.begins(0, started_ns=_long_ago(2))
        shop.floor.enforce()
        shop.slips[0].busy(job.id, job.token, _long_ago(4))
        shop.floor.enforce()
        shop.floor.lose([held(job)])
        shop.floor.enforce()
        shop.finishes(0, completed(job))
        shop.floor.collect()
        shop.runners.died(0)
        shop.born(0)
    shop.hand_out(claimed())
    shop.begins(0)
    shop.floor.enforce()
    left = shop.floor._limits._begun, shop.floor._limits._lost, shop.floor._limits._reminders
    assert not any((*left, shop.floor._ladder._told))
    assert shop.slips[1].state is SlipState.IDLE
