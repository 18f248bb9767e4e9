"""A removal of many rows goes in steps that are short, and so far apart that few who write meet one."""

from __future__ import annotations

from typing import Any, cast

import pytest

from django_jobs.duties.stride import AHEAD, LEAST, LONGER, LONGEST, SHORTER, Stride
from django_jobs.engines import Engine
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


def test_a_worker_that_adds_little_rests_as_long_as_one_that_adds_nothing(clock: Clock) -> None:
    engine = Removing(clock)
    added = 0
    stride = Stride(added=lambda: added)
    rest(engine, stride)
    clock.moment += 1
    added += 1
    assert rest(engine, stride) == pytest.approx(RESTS * MOST * engine.seconds)


class Busy:
    """A worker that writes what has ended at each of its passes, and does what is due in between.

    Args:
        seconds: how long the removal of a row takes.
        pace: how many jobs end in a second; no more than UNIT are written at a pass.
    """

    UNIT = int(MOST / AHEAD)

    def __init__(self, clock: Clock, *, seconds: float, pace: float) -> None:
        self.engine, self.written, self.removed = Removing(clock, seconds=seconds), 0, 0
        self._clock, self._pace, self._ended = clock, pace, 0.0
        self._stride = Stride(added=lambda: self.written)
        self._due = self._then = clock.moment

    def work(self, passes: int, *, each: float) -> list[int]:
        """Make so many passes, each after so long (seconds); return the steps that were taken."""
        self.engine.limits.clear()
        for _ in range(passes):
            self._clock.moment += each
            self._write()
            if self._clock.moment >= self._due:
                # As the roster does, the rest counts from the end of the step.
                self._due = (rest(self.engine, self._stride) or 0.0) + self._clock.moment
                self.removed += self.engine.limits[-1]
        return list(self.engine.limits)

    def _write(self) -> None:
        now = self._clock.moment
        self._ended, self._then = self._ended + self._pace * (now - self._then), now
        some = min(self.UNIT, int(self._ended))
        self.written, self._ended = self.written + some, self._ended - some


@pytest.mark.parametrize("seconds", [0.0001, 0.001, 0.003])
def test_a_worker_without_a_pause_removes_twice_what_it_ends(clock: Clock, seconds: float) -> None:
    busy = Busy(clock, seconds=seconds, pace=100_000)
    busy.work(100, each=0.1)
    assert busy.removed >= 0.98 * AHEAD * busy.written


@pytest.mark.parametrize("pace", [10, 40, 80])
def test_a_worker_with_time_for_short_steps_takes_no_long_ones(clock: Clock, pace: float) -> None:
    busy = Busy(clock, seconds=0.003, pace=pace)
    busy.work(300, each=0.01)
    before = busy.written
    steps = busy.work(2_000, each=0.01)
    assert sum(steps) >= 0.98 * AHEAD * (busy.written - before)
    assert max(steps) <= busy.engine.removal.seconds / 0.003 * LONGER


def slow(clock: Clock, added: list[int], seconds: float = 0.003) -> tuple[Removing, Stride]:
    """Return an engine of which half of the longest step takes long enough, and what paces it."""
    engine = Removing(clock, seconds=seconds)
    stride = Stride(added=lambda: added[0])
    for _ in range(9):
        rest(engine, stride)
    engine.limits.clear()
    return engine, stride


def test_no_step_is_longer_than_the_longest_however_much_was_added(clock: Clock) -> None:
    added = [0]
    engine, stride = slow(clock, added)
    added[0] += 1_000
    assert rest(engine, stride) == 0
    assert engine.limits == [MOST]


def test_no_step_takes_longer_than_renewals_can_wait_however_much_was_added(clock: Clock) -> None:
    added = [0]
    engine, stride = slow(clock, added, seconds=0.01)
    added[0] += 1_000
    assert rest(engine, stride) == 0
    assert [limit * 0.01 for limit in engine.limits] == [pytest.approx(LONGEST, rel=0.05)]


def test_steps_are_short_again_once_little_is_added(clock: Clock) -> None:
    added = [0]
    engine, stride = slow(clock, added)
    added[0] += 1_000
    rest(engine, stride)
    rest(engine, stride)
    assert engine.limits == [MOST, pytest.approx(MOST / 2, abs=1)]


def test_what_was_added_while_nothing_was_old_does_not_lengthen_the_first_step(clock: Clock) -> None:
    added = [0]
    engine, stride = slow(clock, added)
    assert rest(engine, stride, rows=0) is None
    added[0] += 1_000
    rest(engine, stride)
    rest(engine, stride)
    assert engine.limits == [pytest.approx(MOST / 2, abs=1)] * 3


def test_a_step_after_one_that_failed_is_short_and_its_rest_as_well(
    clock: Clock,
) -> None:
    added = [0]
    engine, stride = slow(clock, added)
    added[0] += 1_000
    clock.moment += 1

    def fails(limit: int) -> int:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        stride.step(cast("Engine", engine), fails, now=NOW)
    assert rest(engine, stride) == 0
    assert engine.limits == [pytest.approx(MOST / 2, abs=1)]
