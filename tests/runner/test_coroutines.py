"""Coroutine jobs share a loop and its thread, and nothing else."""

from __future__ import annotations

import os
import threading
import time

import pytest

from django_jobs import signals
from django_jobs.outcomes import Outcome
from django_jobs.recycling import Recycling
from django_jobs.runner import seat, turn
from django_jobs.runner.serve import serve
from django_jobs.wire.slips import SlipState
from tests.runner import coroutine_jobs as jobs
from tests.runner.office import THREADS, Office

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_is_reported_with_its_result(office: Office) -> None:
    values = [None, True, 7, 0.5, "text", ["a", {"b": None}]] * 5
    for value in values:
        office.hand_out(jobs.answer, value)
    assert sorted(map(str, office.results())) == sorted(map(str, values))
    assert office.states == [SlipState.EMPTY] + [SlipState.LEAVING] * THREADS


def test_all_run_in_one_thread_and_what_they_hand_to_a_thread_in_those_of_seats(office: Office) -> None:
    for _ in range(20):
        office.hand_out(jobs.where)
    found = office.results()
    assert len(found) == 20
    ((loop,), seats) = ({of for of, _ in found}, {in_thread for _, in_thread in found})
    assert loop not in seats
    assert len(seats) <= THREADS


def test_no_thread_is_made_for_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda one: (made.append(one.name), start(one))[1])
    for function in (jobs.where, jobs.answer) * 10:
        office.hand_out(function, *[1] * (function is jobs.answer))
    assert len(office.results()) == 20
    assert len(made) == THREADS + 1


def test_what_cannot_be_stored_is_the_failure_of_its_job(office: Office) -> None:
    office.hand_out(jobs.answer_not_a_number)
    office.hand_out(jobs.answer, 1)
    assert sorted(map(str, office.results())) == ["1", "None"]


def test_one_that_fails_says_where(office: Office) -> None:
    office.hand_out(jobs.fail_aloud, "enough", max_attempts=1)
    office.ours.shutdown(1)
    serve(office.post())
    (report,) = office.reports()
    assert report.error is not None
    assert (report.outcome, report.error.message, report.retry_in) == ("failed", "enough", None)
    lines = [line for line in report.error.traceback.splitlines() if "File" in line]
    assert [os.path.basename(line.split('"')[1]) for line in lines] == ["coroutine_jobs.py"]


def test_a_result_of_the_users_own_class_is_stored_beside_the_loop(office: Office) -> None:
    office.hand_out(jobs.where)
    office.hand_out(jobs.return_what_tells_where_it_is_stored)
    first, second = sorted(office.results(), key=lambda result: isinstance(result, dict))
    assert second["thread"] != first[0]


def test_what_one_sets_in_its_context_no_other_finds(office: Office) -> None:
    for _ in range(20):
        office.hand_out(jobs.leave_a_mark)
    assert office.results() == ["none"] * 20


def test_a_transaction_that_one_leaves_open_reaches_no_other(office: Office) -> None:
    for _ in range(20):
        office.hand_out(jobs.open_a_transaction)
    assert office.results() == [True] * 20


def test_one_that_keeps_the_loop_keeps_no_other_seat_from_its_job(office: Office) -> None:
    jobs.may_go_on.clear()
    office.hand_out(jobs.keep_the_loop)
    waits = threading.Thread(target=_when_it_runs, args=(office,))
    waits.start()
    serve(office.post())
    waits.join()
    # The coroutine may be reported before the job that it waited for.
    assert {report.result_data for report in office.reports()} == {"true", None}


def test_what_has_ended_is_reported_although_another_keeps_the_loop(office: Office) -> None:
    jobs.may_go_on.clear()
    reported: list[Outcome] = []

    def wait_for_the_first() -> None:
        end = time.monotonic() + 25
        while not reported and time.monotonic() < end:
            reported.extend(office.reports())
        jobs.may_go_on.set()
        office.ours.shutdown(1)

    office.hand_out(jobs.answer, 1)
    office.hand_out(jobs.keep_the_loop)
    waits = threading.Thread(target=wait_for_the_first)
    waits.start()
    serve(office.post())
    waits.join()
    # Nobody has let the other one go on before this was read.
    assert [report.result_data for report in reported] == ["1"]
    assert office.outcomes() == ["completed"]


def test_so_it_is_when_a_seat_reads_already(office: Office) -> None:
    jobs.may_go_on.clear()
    reported: list[Outcome] = []

    def wait_for_the_other() -> None:
        assert jobs.keeps.wait(25)
        office.hand_out(jobs.say_that_a_seat_reads)
        end = time.monotonic() + 25
        while len(reported) < 2 and time.monotonic() < end:
            reported.extend(office.reports())
        jobs.may_go_on.set()
        office.ours.shutdown(1)

    office.hand_out(jobs.keep_the_loop_twice)
    office.hand_out(jobs.wait_for_the_gate)
    waits = threading.Thread(target=wait_for_the_other)
    waits.start()
    serve(office.post())
    waits.join()
    assert {report.result_data for report in reported} == {"true", None}
    assert office.outcomes() == ["completed"]


def test_one_that_is_cancelled_before_it_begins_is_reported(office: Office) -> None:
    for _ in range(THREADS):
        office.hand_out(jobs.cancel_all_others)
    office.ours.shutdown(1)
    serve(office.post())
    assert len(office.reports()) == THREADS
    assert office.states == [SlipState.EMPTY] + [SlipState.LEAVING] * THREADS


def test_one_keeps_its_transaction_while_it_waits_for_something_else(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seat, "IDLE_CONNECTIONS_CLOSE", 0.02)
    office.hand_out(jobs.leave_a_transaction_for_a_while, 0.3)
    assert office.results() == [True]


def test_what_is_set_where_a_result_is_stored_no_other_finds(office: Office) -> None:
    for _ in range(THREADS):
        office.hand_out(jobs.return_what_sets_the_mark_when_it_is_stored)
    for _ in range(10):
        office.hand_out(jobs.find_the_mark)
    assert [result for result in office.results() if result] == ["none"] * 10


def _when_it_runs(office: Office) -> None:
    while SlipState.BUSY not in office.states:
        continue
    office.hand_out(jobs.let_go_on)
    assert jobs.may_go_on.wait(30)
    office.ours.shutdown(1)


def test_together_they_take_no_more_than_the_runner_may_run(office: Office) -> None:
    for number in range(20):
        office.hand_out(jobs.answer, number)
    serve(office.post(Recycling(max_jobs=5)))
    assert office.outcomes() == ["completed"] * 5
    assert office.states == [SlipState.EMPTY] + [SlipState.LEAVING] * THREADS


def test_a_receiver_of_their_start_is_told_beside_the_loop(office: Office) -> None:
    told: list[int] = []

    def hear(**_: object) -> None:
        told.append(threading.get_ident())

    signals.job_started.connect(hear)
    try:
        for _ in range(3):
            office.hand_out(jobs.where)
        loops = {loop for loop, _ in office.results()}
    finally:
        signals.job_started.disconnect(hear)
    assert len(told) == 3
    assert not loops & set(told)


def test_nothing_is_begun_without_a_lease(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended(BaseException):
        pass

    def leave(status: int) -> None:
        raise Ended(status)

    monkeypatch.setattr(turn.os, "_exit", leave)
    office.slips.lease_ns = 0
    office.hand_out(jobs.answer, 1)
    post = office.post()
    message = turn.next_message(post.jobs, post.slips[1])
    with pytest.raises(Ended):
        turn.begin(message or b"", post.slips[1], post)
    assert office.slips[1].run() is None
