"""Results that are due are removed a step at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from django_jobs.duties import Done
from django_jobs.duties.expire import Expire
from tests.duties.removing import MOST, NOW, Clock, Removing, after_rest

SOON = after_rest(MOST)


class Engine(Removing):
    """Has so many results due."""

    def __init__(self, clock: Clock, due: int) -> None:
        super().__init__(clock)
        self.due = due
        self.asked: list[tuple[datetime, int]] = []

    def expire(self, *, now: datetime, limit: int) -> int:
        self.asked.append((now, limit))
        removed = self.removes(self.due, limit)
        self.due -= removed
        return removed


@pytest.mark.parametrize(
    ("due", "turns"),
    [(0, [None]), (MOST - 1, [None]), (MOST, [SOON, None]), (2 * MOST + 1, [SOON, SOON, None])],
)
def test_a_full_step_is_followed_by_another_after_a_rest(clock: Clock, due: int, turns: list[Any]) -> None:
    engine: Any = Engine(clock, due)
    duty = Expire(interval=60)
    assert [duty.run(engine, now=NOW) for _ in turns] == [Done(again_at=at) for at in turns]
    assert engine.asked == [(NOW, MOST)] * len(turns)
    assert engine.due == 0


def test_an_interval_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="interval must be above 0"):
        Expire(interval=0)
