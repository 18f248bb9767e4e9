"""A removal of many rows goes in steps that are short, and so far apart that few who write meet one."""

from __future__ import annotations

from typing import Any

import pytest

from django_jobs.duties.stride import AHEAD, LEAST, LONGER, SHORTER, Stride
from tests.duties.removing import MOST, NOW, RESTS, Clock, Removing

MANY = 10**9


def rest(engine: Any, stride: Stride, rows: int = MANY) -> float | None:
    """Take one step; return how long the rest after it is (seconds), None where nothing is left."""
    done = stride.step(engine, lambda limit: engine.removes(rows, limit), now=NOW)
    return None if done.again_at is None else (done.again_at - NOW).total_seconds()


def test_the_rest_is_so_many_times_as_long_as_the_step(clock: Clock) -> None:
    engine = Removing(clock, seconds=0.0005)
    assert rest(engine, Stride()) == pytest.approx(RESTS * MOST * 0.0005)


def test_a_step_that_finds_less_is_the_last_one(clock: Clock) -> None:
    assert rest(Removing(clock), Stride(), rows=MOST - 1) is None


def test_waiting_for_the_lock_is_no_part_of_the_step(clock: Clock) -> None:
    engine = Removing(clock, waits=5)
    assert rest(engine, Stride()) == pytest.approx(RESTS * MOST * 0.001)


def test_steps_that_take_too_long_get_shorter_and_longer_again_but_never_too_long(clock: Clock) -> None:
    engine, stride = Removing(clock, seconds=0.0029), Stride()
    for _ in range(3):
        rest(engine, stride)
    assert engine.limits == [MOST, int(MOST * 0.0015 / 0.0029), int(MOST * 0.0015 / 0.0029)]
    engine.seconds = 0.00001
    engine.limits.clear()
    for _ in range(5):
        rest(engine, stride)
    assert engine.limits[0] < engine.limits[1] <= engine.limits[0] * LONGER + 1
    assert engine.limits[-1] == MOST


def test_one_slow_step_does_not_make_the_next_one_tiny(clock: Clock) -> None:
    engine, stride = Removing(clock, seconds=9), Stride()
    rest(engine, stride)
    rest(engine, stride)
    assert engine.limits == [MOST, int(MOST * SHORTER)]


def test_however_slow_some_rows_go_at_a_time(clock: Clock) -> None:
    engine, stride = Removing(clock, seconds=9), Stride()
    for _ in range(9):
        rest(engine, stride)
    assert engine.limits[-1] == LEAST


def test_a_worker_removes_more_than_it_adds_however_short_the_rest_is_then(clock: Clock) -> None:
    engine = Removing(clock)
    added = 0
    stride = Stride(added=lambda: added)
    rest(engine, stride)
    clock.moment += 1 - MOST * engine.seconds
    added += 1_000
    assert rest(engine, stride) == pytest.approx(MOST / (AHEAD * 1_000), rel=0.1)


def test_a_worker_that_adds_little_rests_as_long_as_one_that_adds_nothing(clock: Clock) -> None:
    engine = Removing(clock)
    added = 0
    stride = Stride(added=lambda: added)
    rest(engine, stride)
    clock.moment += 1
    added += 1
    assert rest(engine, stride) == pytest.approx(RESTS * MOST * engine.seconds)


def slow(clock: Clock, added: list[int]) -> tuple[Removing, Stride]:
    """Return an engine whose steps are as short as they get, and what paces them, with a step to come."""
    engine = Removing(clock, seconds=9)
    stride = Stride(added=lambda: added[0])
    for _ in range(9):
        rest(engine, stride)
    engine.limits.clear()
    return engine, stride


def test_a_worker_removes_at_each_turn_what_it_adds_between_two_though_it_is_slow(clock: Clock) -> None:
    added = [0]
    engine, stride = slow(clock, added)
    for _ in range(3):
        added[0] += 20
        rest(engine, stride)
    assert engine.limits == [AHEAD * 20] * 3


def test_no_step_is_longer_than_the_longest_however_much_was_added(clock: Clock) -> None:
    added = [0]
    engine, stride = slow(clock, added)
    added[0] += 1_000
    rest(engine, stride)
    assert engine.limits == [MOST]


def test_steps_are_short_again_once_little_is_added(clock: Clock) -> None:
    added = [0]
    engine, stride = slow(clock, added)
    added[0] += 1_000
    rest(engine, stride)
    rest(engine, stride)
    assert engine.limits == [MOST, LEAST]


def test_what_was_added_while_nothing_was_old_does_not_lengthen_the_first_step(clock: Clock) -> None:
    added = [0]
    engine, stride = slow(clock, added)
    assert rest(engine, stride, rows=0) is None
    added[0] += 1_000
    rest(engine, stride)
    rest(engine, stride)
    assert engine.limits == [LEAST] * 3
