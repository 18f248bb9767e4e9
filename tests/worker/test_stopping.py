"""The first signal starts the grace period, the second ends it."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator

import pytest

from django_jobs.wire.clock import boottime
from django_jobs.worker import stopping
from django_jobs.worker.stopping import LAST_WRITES, Stop


@pytest.fixture
def stop() -> Iterator[Stop]:
    """Return a stop that listens."""
    made = Stop(grace=1000)
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_wakes_the_loop_and_starts_the_grace_period(stop: Stop, number: int) -> None:
    assert not stop.requested
    assert stop.grace_left == float("inf")
    os.kill(os.getpid(), number)
    assert select.select([stop], [], [], 20)[0]
    assert stop.requested
    assert 0 < stop.grace_left <= 1000
    stop.drain()
    assert not select.select([stop], [], [], 0)[0]
    stop.drain()


def test_a_second_signal_ends_the_grace_period(stop: Stop) -> None:
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTERM)
        select.select([stop], [], [], 20)
    assert stop.grace_left == 0


def test_a_worker_that_wants_to_end_when_a_signal_has_just_come_keeps_its_grace(stop: Stop) -> None:
    signal.raise_signal(signal.SIGTERM)
    stop.request()
    assert stop.grace_left > 0


def test_many_signals_do_no_more_than_two(stop: Stop) -> None:
    for _ in range(5):
        signal.raise_signal(signal.SIGTERM)
    assert stop.grace_left == 0
    assert not stop.overdue


def test_behind_the_grace_period_there_is_time_for_the_last_writes(
    stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop.request()
    until = boottime() + 1000
    monkeypatch.setattr(stopping, "boottime", lambda: until + LAST_WRITES - 1)
    assert (stop.grace_left, stop.overdue) == (0, False)
    monkeypatch.setattr(stopping, "boottime", lambda: until + LAST_WRITES + 1)
    assert stop.overdue


def test_the_signals_are_as_before_when_the_worker_has_ended() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    made = Stop(grace=1)
    made.start()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] != before
    made.stop()
    made.stop()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_process_that_ends_with_its_worker_does_not_die_of_one_signal_more() -> None:
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    made = Stop(grace=1, for_good=True)
    made.start()
    made.stop()
    try:
        for number in numbers:
            signal.raise_signal(number)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def test_stopping_is_borne_before_the_start() -> None:
    made = Stop(grace=1)
    made.stop()
    assert not made.requested
