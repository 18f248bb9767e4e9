"""Due jobs are promoted, the next turn is told, and nobody asks without end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from django_jobs.duties import STEP, Done
from django_jobs.duties.fold import Fold
from django_jobs.duties.promote import Promote
from django_jobs.duties.prune_counters import PruneCounters
from django_jobs.duties.rescue import Rescue
from django_jobs.engines.tally import Tally

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOON, LATE = NOW + timedelta(seconds=5), NOW - timedelta(seconds=5)


class Engine:
    """Has jobs due at these moments, of which so many can be promoted."""

    def __init__(self, *due: datetime, promotes: int = STEP) -> None:
        self.due, self.promotes, self.limits = list(due), promotes, []

    def next_due(self) -> datetime | None:
        return min(self.due, default=None)

    def promote(self, *, now: datetime, limit: int) -> int:
        self.limits.append(limit)
        ready = sorted(moment for moment in self.due if moment <= now)[: min(limit, self.promotes)]
        for moment in ready:
            self.due.remove(moment)
        return len(ready)


def _turn(engine: Any) -> Done:
    return Promote(interval=1).run(engine, now=NOW)


def test_nothing_is_written_while_nothing_is_due() -> None:
    engine = Engine(SOON)
    assert _turn(engine) == Done(again_at=SOON)
    assert engine.limits == []


def test_without_scheduled_jobs_the_next_turn_comes_by_the_interval() -> None:
    assert _turn(Engine()) == Done()


def test_due_jobs_are_promoted_and_the_next_due_moment_is_told() -> None:
    assert _turn(Engine(LATE, NOW, SOON)) == Done(made_ready=True, again_at=SOON)


def test_a_full_step_is_followed_by_another_at_once() -> None:
    engine = Engine(*[LATE] * (STEP + 1))
    assert _turn(engine) == Done(made_ready=True, again_at=NOW)
    assert engine.limits == [STEP]


def test_a_due_job_that_someone_has_locked_is_not_asked_for_without_pause() -> None:
    assert _turn(Engine(LATE, promotes=0)) == Done()


@pytest.mark.parametrize(
    "duty",
    [
        Promote,
        partial(Rescue, lease=60, tally=Tally("w"), announce=list),
        Fold,
        partial(PruneCounters, kept=3600),
    ],
)
@pytest.mark.parametrize("interval", [0, -1, float("nan")])
def test_an_interval_that_is_none_is_refused(duty: Any, interval: float) -> None:
    with pytest.raises(ValueError, match="interval must be above 0"):
        duty(interval=interval)
