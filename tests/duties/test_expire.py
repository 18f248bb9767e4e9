"""Results that are due are removed a step at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from django_jobs.duties import PAUSE, STEP, Done
from django_jobs.duties.expire import Expire

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOON = NOW + PAUSE


class Engine:
    """Has so many results due."""

    def __init__(self, due: int) -> None:
        self.due = due
        self.asked: list[tuple[datetime, int]] = []

    def expire(self, *, now: datetime, limit: int) -> int:
        self.asked.append((now, limit))
        removed = min(limit, self.due)
        self.due -= removed
        return removed


@pytest.mark.parametrize(
    ("due", "turns"),
    [(0, [None]), (STEP - 1, [None]), (STEP, [SOON, None]), (2 * STEP + 1, [SOON, SOON, None])],
)
def test_a_full_step_is_followed_by_another_after_a_rest(due: int, turns: list[Any]) -> None:
    engine: Any = Engine(due)
    duty = Expire(interval=60)
    assert [duty.run(engine, now=NOW) for _ in turns] == [Done(again_at=at) for at in turns]
    assert engine.asked == [(NOW, STEP)] * len(turns)
    assert engine.due == 0


def test_an_interval_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="interval must be above 0"):
        Expire(interval=0)
