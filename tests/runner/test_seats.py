"""Several seats in one process: each takes jobs and looks after its own thread; they leave together."""

from __future__ import annotations

import socket
import threading

import pytest

from django_jobs.recycling import Recycling
from django_jobs.runner import hygiene, seat
from django_jobs.runner.serve import serve
from django_jobs.wire.slips import SlipState
from tests.runner.office import THREADS, Office

pytestmark = pytest.mark.django_db(transaction=True)


LEFT = [SlipState.EMPTY] + [SlipState.LEAVING] * THREADS


def test_all_jobs_are_run_and_reported_before_the_seats_leave(office: Office) -> None:
    office.send(20)
    office.ours.shutdown(socket.SHUT_WR)  # no other job comes
    serve(office.post())
    assert office.outcomes() == ["completed"] * 20
    assert office.states == LEFT


def test_together_they_take_no_more_jobs_than_the_runner_may_run(office: Office) -> None:
    office.send(20)
    serve(office.post(Recycling(max_jobs=2)))
    assert office.outcomes() == ["completed"] * 2
    assert office.states == LEFT


def test_seats_that_have_nothing_to_do_close_their_connections(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seat, "IDLE_CONNECTIONS_CLOSE", 0.01)
    closed: set[int] = set()
    all_but_one = threading.Event()  # one waits at the socket, with a time of its own

    def close() -> None:
        closed.add(threading.get_ident())
        if len(closed) == THREADS - 1:
            all_but_one.set()

    monkeypatch.setattr(hygiene, "close_connections", close)

    while_idle: list[bool] = []

    def end() -> None:
        while_idle.append(all_but_one.wait(20))
        office.ours.shutdown(socket.SHUT_WR)

    ender = threading.Thread(target=end)
    ender.start()
    serve(office.post())
    ender.join()
    assert while_idle == [True]
    assert threading.get_ident() not in closed
