"""First told, then killed; from the first step on the verdict stands."""

from __future__ import annotations

from typing import Any

import pytest

from django_jobs.outcomes import Outcome
from django_jobs.states import AttemptOutcome, ErrorKind
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.slips import StopReason
from django_jobs.worker import ladder as ladder_module
from django_jobs.worker.ladder import LONGEST_AT_SHUTDOWN
from django_jobs.worker.orders import EVERY_NS, TIMES
from django_jobs.worker.verdicts import Verdict
from tests.worker.making import Shop, claimed, completed, failed, pid_of, shop


class Time:
    """A clock that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._passed = 0
        monkeypatch.setattr(ladder_module, "boottime_ns", lambda: boottime_ns() + self._passed)

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self._passed += int(seconds * 1e9)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Return the clock of the ladder."""
    return Time(monkeypatch)


def _told_to_stop(shop: Shop, job: Any) -> None:
    shop.hand_out(job)
    shop.begins(0, started_ns=boottime_ns() - 6 * 10**9)
    shop.floor.enforce()
    assert shop.starter.interrupted == [(0, pid_of(0))]


def _outcomes(shop: Shop) -> list[Outcome]:
    return [outcome for _, outcome in shop.floor.take_work().finished]


def test_who_goes_on_is_killed_when_its_time_to_clean_up_is_over(floor_with_two: Shop, time: Time) -> None:
    shop, job = floor_with_two, claimed(timeout=5.0)
    _told_to_stop(shop, job)
    assert shop.starter.killed == []
    assert 0 < shop.floor._ladder.climb() <= 1
    time.passes(1)
    shop.floor.enforce()
    shop.floor.enforce()
    assert shop.starter.killed == [(0, pid_of(0))]
    _outcomes(shop)
    shop.dies(0)
    (outcome,) = _outcomes(shop)
    assert outcome.error is not None
    assert (outcome.outcome, outcome.error.kind) == (AttemptOutcome.TIMED_OUT, ErrorKind.TIMEOUT)


def test_an_order_is_sent_again_while_the_run_goes_on(floor_with_two: Shop, time: Time) -> None:
    shop, job = floor_with_two, claimed(timeout=5.0)
    _told_to_stop(shop, job)
    assert 0 < shop.floor._ladder.climb() <= EVERY_NS / 1e9
    assert len(shop.starter.interrupted) == 1
    time.passes(EVERY_NS / 1e9)
    shop.floor.enforce()
    assert len(shop.starter.interrupted) == 2
    shop.leaves(0, failed(job))
    time.passes(EVERY_NS / 1e9)
    assert shop.floor.enforce() > 0
    assert len(shop.starter.interrupted) == 2


def test_who_has_not_heard_of_it_in_a_few_times_is_deaf(time: Time) -> None:
    with shop(kill_after=60.0) as made:
        made.born(0, 1)
        _told_to_stop(made, claimed(timeout=5.0))
        for _ in range(3 * TIMES):
            time.passes(EVERY_NS / 1e9)
            made.floor.enforce()
        assert len(made.starter.interrupted) == TIMES
        assert made.floor._ladder.climb() > 10


def test_who_dies_of_the_order_has_timed_out_and_not_crashed(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed(timeout=5.0)
    _told_to_stop(shop, job)
    _outcomes(shop)
    shop.dies(0, status=14)
    assert [outcome.outcome for outcome in _outcomes(shop)] == [AttemptOutcome.TIMED_OUT]


def test_nothing_is_told_before_the_runner_is_gone_with_all_it_had_started(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed(timeout=5.0)
    _told_to_stop(shop, job)
    shop.leaves(0, failed(job))
    shop.floor.collect()
    shop.floor.enforce()
    assert (_outcomes(shop), shop.floor.empty) == ([], False)
    shop.dies(0, status=0)
    shop.floor.enforce()
    assert len(_outcomes(shop)) == 1
    assert shop.floor.empty


@pytest.mark.parametrize("report", [completed, failed])
def test_no_late_report_changes_the_verdict(floor_with_two: Shop, report: Any) -> None:
    shop, job = floor_with_two, claimed(timeout=5.0)
    _told_to_stop(shop, job)
    shop.leaves(0, report(job))
    shop.dies(0, status=0)
    shop.floor.enforce()
    (outcome,) = _outcomes(shop)
    assert (outcome.outcome, outcome.result_data) == (AttemptOutcome.TIMED_OUT, None)


def test_a_run_that_ended_before_it_was_told_is_what_it_reports(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed(timeout=5.0)
    before = boottime_ns()
    _told_to_stop(shop, job)
    shop.finishes(0, completed(job)._replace(finished_ns=before))
    shop.floor.enforce()  # sees a runner that waits, before the report is read
    shop.floor.collect()
    assert [outcome.outcome for outcome in _outcomes(shop)] == [AttemptOutcome.COMPLETED]


def test_a_late_report_is_judged_though_its_runner_has_gone_on(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed(timeout=5.0)
    _told_to_stop(shop, job)
    shop.finishes(0, completed(job))
    shop.floor.enforce()
    shop.floor.collect()
    shop.floor.enforce()
    assert [outcome.outcome for outcome in _outcomes(shop)] == [AttemptOutcome.TIMED_OUT]


def test_an_order_that_came_too_late_harms_no_job_that_follows(floor_with_two: Shop, time: Time) -> None:
    shop, late, next_one = floor_with_two, claimed(timeout=5.0), claimed(timeout=5.0)
    _told_to_stop(shop, late)
    shop.finishes(0, completed(late))
    shop.floor.collect()
    shop.hand_out(next_one)
    shop.begins(0)
    assert shop.slips[0].stop_asked is None
    time.passes(5)
    shop.floor.enforce()
    assert shop.starter.killed == []
    # And it has a limit of its own.
    shop.slips[0].busy(next_one.id, next_one.token, boottime_ns() - 6 * 10**9)
    shop.floor.enforce()
    assert shop.slips[0].stop_asked is StopReason.TIMEOUT


def test_a_runner_that_reports_and_does_not_end_is_killed(floor_with_two: Shop, time: Time) -> None:
    shop, job = floor_with_two, claimed(timeout=5.0)
    _told_to_stop(shop, job)
    shop.leaves(0, failed(job))
    shop.floor.collect()
    time.passes(1)
    shop.floor.enforce()
    assert shop.starter.killed == [(0, pid_of(0))]


def test_the_lease_kills_whoever_still_cleans_up(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed(timeout=5.0)
    _told_to_stop(shop, job)
    shop.floor.kill_running(Verdict.LEASE)
    assert shop.starter.killed == [(0, pid_of(0))]


def test_no_time_to_clean_up_kills_at_once() -> None:
    with shop(kill_after=0.0) as made:
        made.born(0, 1)
        made.hand_out(claimed(timeout=5.0))
        made.begins(0, started_ns=boottime_ns() - 6 * 10**9)
        made.floor.enforce()
        assert (made.starter.interrupted, made.starter.killed) == ([], [(0, pid_of(0))])
        made.floor.take_work()
        made.dies(0)
        assert [outcome.outcome for outcome in _outcomes(made)] == [AttemptOutcome.TIMED_OUT]


def test_at_shutdown_there_is_only_the_time_that_the_last_writes_leave(time: Time) -> None:
    with shop(kill_after=60.0) as made:
        made.born(0, 1)
        made.hand_out(claimed(timeout=None))
        made.begins(0)
        made.floor.stop_running(Verdict.SHUTDOWN)
        assert made.slips[0].stop_asked is StopReason.SHUTDOWN
        time.passes(LONGEST_AT_SHUTDOWN)
        made.floor.stop_running(Verdict.SHUTDOWN)
        made.floor.enforce()
        assert made.starter.killed == [(0, pid_of(0))]
        made.dies(0)
        assert [outcome.outcome for outcome in _outcomes(made)] == [AttemptOutcome.INTERRUPTED]


def test_a_shutdown_shortens_the_time_of_who_was_told_before_and_keeps_its_verdict(time: Time) -> None:
    with shop(kill_after=60.0) as made:
        made.born(0, 1)
        _told_to_stop(made, claimed(timeout=5.0))
        made.floor.stop_running(Verdict.SHUTDOWN)
        assert made.slips[0].stop_asked is StopReason.TIMEOUT
        time.passes(LONGEST_AT_SHUTDOWN)
        made.floor.enforce()
        assert made.starter.killed == [(0, pid_of(0))]
        made.floor.take_work()
        made.dies(0)
        assert [outcome.outcome for outcome in _outcomes(made)] == [AttemptOutcome.TIMED_OUT]
