"""A runner with several seats: one job's end is no other's, and a successor begins beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from django_jobs.engines.rows import ClaimedJob
from django_jobs.states import AttemptOutcome
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.slips import SlipState, StopReason
from django_jobs.worker import reconcile
from django_jobs.worker.deaf import LOOKS
from django_jobs.worker.pace import PATIENCE
from django_jobs.worker.places import SPARE, Places
from django_jobs.worker.runners import LEAVE_WITHIN
from django_jobs.worker.starting import What
from django_jobs.worker.verdicts import Verdict
from tests.worker.making import Shop, claimed, completed, failed, held, pid_of, shop

LONG_AGO = 6 * 10**9


@pytest.fixture
def one() -> Iterator[Shop]:
    """Return a floor with one living runner of three seats."""
    with shop(count=1, threads=3) as made:
        made.born(0)
        yield made


def _begin(shop: Shop, *jobs: ClaimedJob, place: int = 0, started_ns: int | None = None) -> None:
    shop.hand_out(*jobs)
    for number, _ in zip(shop.places.slips_of(place), jobs, strict=False):
        shop.begins(number, started_ns=started_ns)


def _stop(shop: Shop, job: ClaimedJob, *neighbours: ClaimedJob) -> None:
    """Let a job begin long ago and be told to stop, beside others."""
    shop.hand_out(job, *neighbours)
    shop.begins(0, started_ns=boottime_ns() - LONG_AGO)
    for number, _ in enumerate(neighbours, 1):
        shop.begins(number)
    shop.floor.enforce()
    assert [shop.slips[number].stop_asked for number in range(3)] == [StopReason.TIMEOUT, None, None]
    shop.floor.take_work()


def _look(shop: Shop, times: int) -> None:
    for _ in range(times):
        shop.floor._look_at = 0.0
        shop.floor.enforce()


def _outcomes(shop: Shop) -> dict[object, AttemptOutcome]:
    return {job.id: outcome.outcome for job, outcome in shop.floor.take_work().finished}


@pytest.mark.parametrize(("processes", "threads", "spare"), [(2, 1, 0), (1, 8, SPARE), (5, 2, 5)])
def test_each_seat_has_a_slip_and_the_one_alone_has_one(processes: int, threads: int, spare: int) -> None:
    places = Places(processes, threads)
    assert (places.slots, places.shared) == (processes * threads, processes + spare)
    numbers = [number for place in range(places.shared + 1) for number in places.slips_of(place)]
    assert numbers == list(range(places.slips))
    assert places.threads_of(places.alone) == 1


def test_as_many_runners_are_made_as_there_are_processes() -> None:
    with shop(count=2, threads=2) as made:
        made.staff()
        assert made.starter.started == [0, 1]


def test_one_that_was_stopped_is_told_of_while_its_neighbours_go_on(one: Shop) -> None:
    job, *neighbours = claimed(timeout=5.0), claimed(), claimed()
    _stop(one, job, *neighbours)
    one.leaves(0, failed(job))
    one.floor.collect()
    one.floor.enforce()
    assert _outcomes(one) == {job.id: AttemptOutcome.TIMED_OUT}
    assert one.starter.killed == []


def test_one_that_has_reported_has_nobody_killed(one: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    job, *neighbours = claimed(timeout=5.0), claimed(), claimed()
    _stop(one, job, *neighbours)
    one.leaves(0, failed(job))  # its report is not read yet
    later = boottime_ns() + 60 * 10**9
    monkeypatch.setattr("django_jobs.worker.ladder.boottime_ns", lambda: later)
    one.floor.enforce()
    assert one.starter.killed == []


def test_a_successor_begins_while_neighbours_go_on_and_its_slots_are_filled(one: Shop) -> None:
    job, *neighbours = claimed(timeout=5.0), claimed(), claimed()
    _stop(one, job, *neighbours)
    assert one.floor.room == 0
    one.leaves(0, failed(job))
    one.floor.collect()
    one.staff()
    assert one.starter.started == [0, 1]
    assert one.floor.room == 3
    one.born(1)
    _begin(one, claimed(), claimed(), claimed(), place=1)
    assert (len(one.handout.out), one.floor.room) == (5, 0)
    one.staff()
    assert one.starter.started == [0, 1]


def test_with_no_place_for_a_successor_no_job_is_taken_for_it(one: Shop) -> None:
    for place in range(1 + SPARE):
        one.born(place)
        jobs = [claimed(), claimed()]
        _begin(one, *jobs, place=place)
        one.leaves(one.places.slips_of(place).start, completed(jobs[0]))
        one.floor.collect()
    one.staff()
    assert one.starter.started == list(range(1 + SPARE))
    assert one.floor.room == 0
    assert len(one.handout.out) == 1 + SPARE


def test_of_a_runner_that_is_killed_for_one_job_the_others_are_interrupted(one: Shop) -> None:
    job, *neighbours = claimed(timeout=5.0), claimed(), claimed()
    _stop(one, job, *neighbours)
    one.floor._ladder._told[held(job)].kill_ns = 0
    one.floor.enforce()
    assert one.starter.killed == [(0, pid_of(0))]
    one.dies(0)
    timed_out, interrupted = AttemptOutcome.TIMED_OUT, AttemptOutcome.INTERRUPTED
    assert _outcomes(one) == {job.id: timed_out} | {each.id: interrupted for each in neighbours}
    assert one.floor.empty


def test_two_that_were_stopped_are_both_judged_when_their_runner_dies(one: Shop) -> None:
    first, second = claimed(timeout=5.0), claimed(timeout=5.0)
    _begin(one, first, second, started_ns=boottime_ns() - LONG_AGO)
    one.floor.enforce()
    one.floor._ladder._told[held(first)].kill_ns = 0
    one.floor.enforce()
    one.floor.take_work()
    one.dies(0)
    assert set(_outcomes(one).values()) == {AttemptOutcome.TIMED_OUT}


def test_a_death_that_nobody_ordered_is_charged_to_no_one_of_several(one: Shop) -> None:
    jobs = [claimed(), claimed()]
    _begin(one, *jobs)
    one.dies(0)
    assert set(_outcomes(one).values()) == {AttemptOutcome.INTERRUPTED}


def test_a_death_with_one_job_is_charged_to_that(one: Shop) -> None:
    _begin(one, claimed())
    one.dies(0)
    assert set(_outcomes(one).values()) == {AttemptOutcome.CRASHED}


def test_all_jobs_of_a_runner_whose_lease_has_passed_are_interrupted(one: Shop) -> None:
    _begin(one, claimed())
    one.dies(0, what=What.LAPSED)
    assert set(_outcomes(one).values()) == {AttemptOutcome.INTERRUPTED}


def test_a_recount_waits_for_each_seat(one: Shop) -> None:
    jobs = [claimed(), claimed()]
    _begin(one, jobs[0])
    one.hand_out(jobs[1])
    assignment = one.reads(2)
    one.floor.recount()
    assert one.floor.recounting
    one.slips[2].busy(assignment.job_id, assignment.token, boottime_ns())
    one.floor.go_on_recounting()
    assert not one.floor.recounting
    assert set(one.handout.out) == {held(job) for job in jobs}


def test_one_beside_a_job_that_keeps_the_interpreter_has_longer_to_say_what_it_holds(
    one: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _begin(one, claimed())
    one.hand_out(claimed())
    one.reads(2)
    one.floor.recount()
    began = reconcile.boottime()
    monkeypatch.setattr(reconcile, "boottime", lambda: began + 2 * reconcile.PATIENCE)
    one.floor.go_on_recounting()
    assert (one.floor.recounting, one.starter.killed) == (True, [])
    monkeypatch.setattr(reconcile, "boottime", lambda: began + 2 * reconcile.PATIENCE_BESIDE_JOBS)
    one.floor.go_on_recounting()
    assert one.starter.killed == [(0, pid_of(0))]


def test_what_waits_is_given_back_also_when_no_slot_is_open(one: Shop) -> None:
    for place in range(one.places.shared):
        one.born(place)
        job, neighbour = claimed(), claimed()
        _begin(one, job, neighbour, place=place, started_ns=boottime_ns() - LONG_AGO)
        one.leaves(one.places.slips_of(place).start, completed(job))
        one.floor.collect()
    assert one.runners.open_slots == 0
    assert one.runners.busy_for() > PATIENCE


def test_who_waits_for_long_beside_jobs_of_its_own_is_not_deaf(one: Shop) -> None:
    _begin(one, claimed())
    one.hand_out(claimed())
    _look(one, LOOKS + 1)
    assert one.starter.killed == []


def test_all_slots_are_busy_when_all_seats_are(one: Shop) -> None:
    _begin(one, claimed(), claimed(), started_ns=boottime_ns() - LONG_AGO)
    assert one.runners.busy_for() == 0.0
    one.hand_out(claimed())
    one.begins(2, started_ns=boottime_ns() - LONG_AGO)
    assert one.runners.busy_for() > PATIENCE


def test_who_leaves_may_take_as_long_as_a_neighbour_needs_and_no_longer(
    one: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, neighbour = claimed(), claimed()
    _begin(one, job, neighbour)
    one.leaves(0, completed(job))
    one.slips[2].say(SlipState.LEAVING)
    assert one.runners.see_off() == float("inf")
    one.leaves(1, completed(neighbour))
    assert one.runners.see_off() == pytest.approx(LEAVE_WITHIN)


def test_each_seat_is_stopped_at_shutdown(one: Shop) -> None:
    _begin(one, claimed(), claimed(), claimed())
    one.floor.stop_running(Verdict.SHUTDOWN)
    assert [one.slips[number].stop_asked for number in range(3)] == [StopReason.SHUTDOWN] * 3


def test_nobody_is_left_on_the_slips_of_a_dead_runner(one: Shop) -> None:
    _begin(one, claimed(), claimed())
    one.dies(0)
    assert [one.slips[number].state for number in range(3)] == [SlipState.EMPTY] * 3
