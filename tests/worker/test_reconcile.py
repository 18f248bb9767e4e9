"""After a death every job that was out is found: in a runner, in a report, or nowhere."""

from __future__ import annotations

import pytest

from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.slips import SlipState
from django_jobs.worker import reconcile
from tests.worker.making import Shop, claimed, completed, held, pid_of


def _given_back(shop: Shop) -> list[object]:
    return [given.job for given in shop.floor.take_work().given_back]


def test_what_nobody_has_read_keeps_its_place_in_the_buffer(floor_with_two: Shop) -> None:
    shop, jobs = floor_with_two, [claimed(), claimed()]
    shop.hand_out(*jobs)
    shop.dies(0)
    assert not shop.floor.recounting
    assert [job.id for job in shop.handout.empty_buffer()] == [job.id for job in jobs]
    assert not shop.floor.take_work()


def test_a_job_that_its_runner_read_and_never_named_is_given_back(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.reads(0)
    shop.dies(0)
    assert _given_back(shop) == [job]
    assert shop.floor.empty


def test_a_job_in_another_runner_stays_there(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.begins(1)
    shop.dies(0)
    assert not shop.floor.take_work()
    assert held(job) in shop.handout.out


def test_a_recount_waits_for_a_runner_that_may_hold_a_message(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    assignment = shop.reads(1)
    shop.dies(0)
    assert shop.floor.recounting
    shop.slips[1].busy(assignment.job_id, assignment.token, boottime_ns())
    shop.floor.go_on_recounting()
    assert not shop.floor.recounting
    assert not shop.floor.take_work()


def test_nothing_is_handed_out_during_a_recount(floor_with_two: Shop) -> None:
    shop = floor_with_two
    shop.hand_out(claimed())
    shop.reads(1)
    shop.dies(0)
    shop.hand_out(claimed())
    assert len(shop.handout.out) == 1


def test_a_job_that_finishes_in_the_middle_of_a_recount_is_not_run_again(
    floor_with_two: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.begins(1)
    collect = shop.floor.collect
    rounds = []

    def collect_then_finish() -> None:
        collect()
        rounds.append(1)
        if len(rounds) == 2:  # the first is that of the burial, before the recount
            shop.finishes(1, completed(job))

    monkeypatch.setattr(shop.floor, "collect", collect_then_finish)
    shop.dies(0)
    shop.floor.collect()
    work = shop.floor.take_work()
    assert work.given_back == []
    assert [finished for finished, _ in work.finished] == [job]


def test_a_runner_born_unheard_is_counted(floor_with_two: Shop) -> None:
    shop, job = floor_with_two, claimed()
    shop.dies(1)
    shop.staff()  # ordered again; it works before its birth is heard
    shop.hand_out(job)
    shop.begins(1)
    shop.dies(0)
    assert not shop.floor.take_work()
    assert held(job) in shop.handout.out


def test_who_will_not_say_what_it_holds_is_killed(
    floor_with_two: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "PATIENCE", -1.0)
    shop, job = floor_with_two, claimed()
    shop.hand_out(job)
    shop.reads(1)
    shop.dies(0)
    assert shop.starter.killed == [(1, pid_of(1))]
    assert shop.floor.recounting
    shop.dies(1)
    assert _given_back(shop) == [job]


def test_deaths_during_a_recount_do_not_prolong_its_patience(
    floor_with_two: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = floor_with_two
    shop.hand_out(claimed())
    shop.reads(1)
    shop.dies(0)
    moment = boottime_ns() / 1e9 + 2 * reconcile.PATIENCE
    monkeypatch.setattr(reconcile, "boottime", lambda: moment)
    shop.dies(0)
    assert shop.starter.killed == [(1, pid_of(1))]


def test_a_dead_runner_leaves_an_empty_slip(floor_with_two: Shop) -> None:
    floor_with_two.dies(0)
    assert floor_with_two.slips[0].state is SlipState.EMPTY
