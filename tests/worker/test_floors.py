"""Where claims begin while a look at everything is dear, and that everything is looked at all the same."""

from __future__ import annotations

import pytest

from django_jobs.engines.rows import ClaimedJob
from django_jobs.engines.stretches import HIGHEST, LOWEST, Place, Stretch, stretches
from django_jobs.worker import floors
from django_jobs.worker.floors import COSTLY, EACH, FULL_LOOK_EVERY, MOST, SHARE, Floors, Look
from tests.worker.making import claimed

DEAR = 2 * COSTLY + 100 * EACH


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time, which the test sets."""
    now = [100.0]
    monkeypatch.setattr(floors, "boottime", lambda: now[0])
    return now


def _place(job: ClaimedJob) -> Place:
    return Place(job.queue, job.priority, job.run_after, job.id)


def test_while_a_full_look_is_cheap_each_one_is_full(clock: list[float]) -> None:
    its = Floors()
    its.took(Look([claimed()], full=True, seconds=COSTLY + EACH))
    assert its.places() == []


def test_after_a_dear_one_claims_begin_where_the_last_one_left_off(clock: list[float]) -> None:
    its = Floors()
    first, second, urgent, other = claimed(), claimed(), claimed(priority=9), claimed(queue="other")
    its.took(Look([urgent, first, second, other], full=True, seconds=DEAR))
    assert set(its.places()) == {_place(second), _place(urgent), _place(other)}
    third = claimed(run_after=second.run_after.replace(year=2099))
    its.took(Look([third], full=False, seconds=1.0))
    assert set(its.places()) == {_place(third), _place(urgent), _place(other)}


def test_everything_is_looked_at_again_each_second_or_rarely_if_that_takes_long(
    clock: list[float],
) -> None:
    its = Floors()
    for seconds, pause in [(DEAR, FULL_LOOK_EVERY), (0.5, SHARE * 0.5)]:
        its.took(Look([claimed()], full=True, seconds=seconds))
        assert its.places()
        clock[0] += pause
        assert its.places() == []


def test_what_a_full_look_finds_before_the_floor_moves_it_back(clock: list[float]) -> None:
    its = Floors()
    job = claimed()
    its.took(Look([job._replace(run_after=job.run_after.replace(year=2099))], full=True, seconds=DEAR))
    its.took(Look([job], full=True, seconds=DEAR))
    assert its.places() == [_place(job)]


def test_only_so_many_places_are_kept_those_that_were_left_last(clock: list[float]) -> None:
    its = Floors()
    jobs = [claimed(priority=priority) for priority in range(MOST + 2)]
    its.took(Look(jobs[:-1], full=True, seconds=DEAR))
    its.took(Look([jobs[1], jobs[-1]], full=False, seconds=DEAR))
    assert its.places() == [_place(job) for job in (*jobs[3:-1], jobs[1], jobs[-1])]


def test_a_queue_is_looked_at_in_whole_but_for_the_places_where_claims_left_off() -> None:
    job = claimed()
    places = [_place(job._replace(priority=priority)) for priority in (0, 5, 6)]
    elsewhere = _place(job._replace(queue="elsewhere"))
    whole, after = stretches(["default", "other"], [*places, elsewhere])
    assert whole == [
        Stretch("default", 7, HIGHEST),
        Stretch("default", 1, 4),
        Stretch("default", LOWEST, -1),
        Stretch("other", LOWEST, HIGHEST),
    ]
    assert after == [*reversed(places)]
