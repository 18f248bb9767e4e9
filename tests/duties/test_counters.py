"""Counters are folded when their minute is closed and deleted when they are old, a step at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from django_jobs.duties import PAUSE, STEP, Done
from django_jobs.duties.fold import Fold
from django_jobs.duties.prune_counters import PruneCounters

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Engine:
    """Has so many rows to fold or to delete."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.asked: list[datetime] = []

    def fold(self, *, before: datetime, limit: int) -> int:
        self.asked.append(before)
        return min(self.rows, limit)

    prune_counters = fold


@pytest.mark.parametrize(
    ("duty", "before"),
    [
        (Fold(), NOW - timedelta(minutes=5)),
        (PruneCounters(kept=86400), NOW - timedelta(days=1)),
    ],
)
def test_only_what_is_old_enough_is_touched_and_a_full_step_is_followed_by_another_soon(
    duty: Any, before: datetime
) -> None:
    engine = Engine(STEP + 1)
    assert duty.run(engine, now=NOW) == Done(again_at=NOW + PAUSE)
    assert duty.run(Engine(STEP - 1), now=NOW) == Done()
    assert engine.asked == [before]
