"""Final jobs are removed by their age, a step at a time, and what is kept for ever is not looked at."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from django_jobs.duties import Done
from django_jobs.duties.prune import Prune
from django_jobs.engines import engine_for
from django_jobs.models import Job
from django_jobs.states import Status
from tests.duties.removing import MOST, NOW, Clock, Removing, after_rest
from tests.engines.conformance.making import new

KEPT: dict[Status, float | None] = {Status.COMPLETED: 10, Status.CANCELLED: 20.5, Status.DEAD: None}


class Engine(Removing):
    """Has so many old jobs of each status."""

    def __init__(self, clock: Clock, **old: int) -> None:
        super().__init__(clock)
        self.old: dict[str, int] = old
        self.asked: list[tuple[Status, datetime, int]] = []

    def prune(self, status: Status, *, before: datetime, limit: int) -> int:
        self.asked.append((status, before, limit))
        removed = self.removes(self.old.get(status, 0), limit)
        self.old[status] = self.old.get(status, 0) - removed
        return removed


def turn(engine: Any) -> Done:
    return Prune(KEPT, interval=60).run(engine, now=NOW)


def test_each_status_is_pruned_by_its_own_age_and_the_next_turn_comes_by_the_interval(clock: Clock) -> None:
    engine = Engine(clock, completed=3, cancelled=2, dead=9)
    assert turn(engine) == Done()
    assert engine.asked == [
        (Status.COMPLETED, NOW - timedelta(seconds=10), MOST),
        (Status.CANCELLED, NOW - timedelta(seconds=20.5), MOST - 3),
    ]
    assert engine.old == {"completed": 0, "cancelled": 0, "dead": 9}


def test_a_turn_removes_one_step_at_most_and_asks_for_the_next_after_a_rest(clock: Clock) -> None:
    engine = Engine(clock, completed=MOST - 1, cancelled=5)
    assert turn(engine) == Done(again_at=after_rest(MOST))
    assert engine.old == {"completed": 0, "cancelled": 4}
    assert turn(engine) == Done()


def test_a_full_step_of_the_first_leaves_the_others_for_the_next_turn(clock: Clock) -> None:
    engine = Engine(clock, completed=2 * MOST + 1)
    rest = after_rest(MOST)
    assert [turn(engine).again_at for _ in range(3)] == [rest, rest, None]
    assert len(engine.asked) == 4


def test_a_worker_that_ends_many_rests_less(clock: Clock) -> None:
    ended = 0
    engine: Any = Engine(clock, completed=3 * MOST)
    prune = Prune(KEPT, interval=60, ended=lambda: ended)
    prune.run(engine, now=NOW)
    ended = 10**6
    again_at = prune.run(engine, now=NOW).again_at
    assert again_at is not None
    assert again_at < after_rest(MOST)


def test_where_all_is_kept_for_ever_the_database_is_not_asked(clock: Clock) -> None:
    engine = Engine(clock, dead=5)
    assert Prune(dict.fromkeys(KEPT), interval=60).run(engine, now=NOW) == Done()  # type: ignore[arg-type]
    assert engine.asked == []


@pytest.mark.parametrize("interval", [0, -1, float("nan")])
def test_an_interval_that_is_none_is_refused(interval: float) -> None:
    with pytest.raises(ValueError, match="interval must be above 0"):
        Prune(KEPT, interval=interval)


@pytest.mark.django_db
def test_in_a_database_exactly_the_old_jobs_go() -> None:
    engine = engine_for("default")
    young, old, letter, pending = (new(run_after=NOW - timedelta(seconds=age)) for age in (5, 15, 999, 999))
    engine.enqueue([young, old, letter, pending])
    Job.objects.filter(pk__in=[young.id, old.id]).update(status=Status.COMPLETED)
    Job.objects.filter(pk=letter.id).update(status=Status.DEAD)
    assert Prune(KEPT, interval=60).run(engine, now=NOW) == Done()
    assert set(Job.objects.values_list("pk", flat=True)) == {young.id, letter.id, pending.id}
