"""Counters are folded when their minute is closed and deleted when they are old, a step at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django_jobs.duties import PAUSE, STEP, Done
from django_jobs.duties.fold import Fold
from django_jobs.duties.prune_counters import PruneCounters
from tests.duties.removing import MOST, Clock, Removing, after_rest

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Engine:
    """Has so many rows to fold or to delete."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.asked: list[datetime] = []

    def fold(self, *, before: datetime, limit: int) -> int:
        self.asked.append(before)
        return min(self.rows, limit)


def test_only_closed_minutes_are_folded_and_a_full_step_is_followed_by_another_soon() -> None:
    engine: Any = Engine(STEP + 1)
    assert Fold().run(engine, now=NOW) == Done(again_at=NOW + PAUSE)
    engine.rows = STEP - 1
    assert Fold().run(engine, now=NOW) == Done()
    assert engine.asked == [NOW - timedelta(minutes=5)] * 2


class Deleting(Removing):
    """Has so many rows to delete."""

    def __init__(self, clock: Clock, rows: int) -> None:
        super().__init__(clock)
        self.rows = rows
        self.asked: list[datetime] = []

    def prune_counters(self, *, before: datetime, limit: int) -> int:
        self.asked.append(before)
        return self.removes(self.rows, limit)


def test_only_what_is_old_enough_is_deleted_and_a_full_step_is_followed_by_another_after_a_rest(
    clock: Clock,
) -> None:
    engine: Any = Deleting(clock, MOST + 1)
    duty = PruneCounters(kept=86400)
    assert duty.run(engine, now=NOW) == Done(again_at=after_rest(MOST))
    engine.rows = 1
    assert duty.run(engine, now=NOW) == Done()
    assert engine.asked == [NOW - timedelta(days=1)] * 2
