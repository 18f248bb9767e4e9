"""Ends of short jobs are written together; whoever waits for the only one does not wait."""

from __future__ import annotations

import pytest

from django_jobs.worker import gathering
from django_jobs.worker.gathering import ENOUGH, Gathering
from django_jobs.worker.pace import GATHER_SECONDS, Pace
from django_jobs.worker.work import Begun, GivenBack, Work
from tests.worker.making import Shop, claimed, completed, held


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a clock that goes on only when it is set."""
    clock = [100.0]
    monkeypatch.setattr(gathering, "boottime", lambda: clock[0])
    return clock


def _pace(*, seconds: float) -> Pace:
    pace = Pace(slots=2)
    pace.observe(seconds=seconds, payload=100)
    return pace


def _ends(count: int, **more: object) -> Work:
    job = claimed()
    return Work(finished=[(job, completed(job))] * count, **more)  # type: ignore[arg-type]


def test_an_end_waits_for_others_while_runners_have_enough_to_do_but_not_for_long(now: list[float]) -> None:
    ends = Gathering(_pace(seconds=0.00001))
    assert ends.patience(_ends(1), waiting=True) == pytest.approx(GATHER_SECONDS)
    now[0] += GATHER_SECONDS / 2
    assert ends.patience(_ends(2), waiting=True) == pytest.approx(GATHER_SECONDS / 2)
    now[0] += GATHER_SECONDS
    assert ends.patience(_ends(3), waiting=True) == 0
    assert ends.patience(_ends(1), waiting=True) == pytest.approx(GATHER_SECONDS)


def test_enough_of_them_wait_no_longer() -> None:
    pace = _pace(seconds=0.00001)
    assert Gathering(pace).patience(_ends(pace.batch), waiting=True) == 0


def test_nothing_waits_when_no_job_is_left_to_hand_out() -> None:
    assert Gathering(_pace(seconds=0.00001)).patience(_ends(1), waiting=False) == 0


@pytest.mark.parametrize("pace", [_pace(seconds=1.0), Pace(slots=2)])
def test_the_end_of_a_long_job_waits_for_no_other(pace: Pace) -> None:
    assert Gathering(pace).patience(_ends(1), waiting=True) == 0


def test_only_ends_wait() -> None:
    ends, job = Gathering(_pace(seconds=0.00001)), claimed()
    for work in (
        Work(),
        _ends(1, given_back=[GivenBack(job)]),
        _ends(1, begun=[Begun(held(job), 1)]),
        _ends(1, notes={held(job): None}),
    ):
        assert ends.patience(work, waiting=True) == 0


def test_the_loop_naps_only_while_each_slot_has_many_jobs_before_it() -> None:
    ends = Gathering(_pace(seconds=0.00001))
    assert ends.nap(out=2 * (1 + ENOUGH)) > 0
    assert ends.nap(out=2 * (1 + ENOUGH) - 1) == 0


def test_ends_are_gathered_until_the_last_job_is_handed_out(floor_with_two: Shop) -> None:
    shop = floor_with_two
    shop.pace.observe(seconds=0.00001, payload=100)
    jobs = [claimed() for _ in range(shop.pace.out + 1)]
    shop.hand_out(*jobs)
    assert shop.floor.nap > 0
    shop.begins(0)
    shop.finishes(0, completed(jobs[0]))
    shop.floor.collect()
    assert shop.floor.patience > 0
    shop.floor.hand_out()
    assert shop.floor.patience == 0
