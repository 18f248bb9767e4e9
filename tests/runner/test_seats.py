"""Several seats in one process: each takes jobs and looks after its own thread; they leave together."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator

import pytest

from django_jobs.context import Workplace
from django_jobs.outcomes import Outcome
from django_jobs.recycling import Recycling
from django_jobs.runner import hygiene, seats
from django_jobs.runner.post import Post
from django_jobs.runner.serve import serve
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.messages import report_from_bytes
from django_jobs.wire.slips import Slips, SlipState
from django_jobs.wire.sockets import receive, send, socket_pair
from tests import jobs_that_misbehave as misbehaving
from tests.runner.making import assignment

THREADS = 3

pytestmark = pytest.mark.django_db(transaction=True)


class Office:
    """The worker's side of one runner with three seats."""

    def __init__(self) -> None:
        self.slips = Slips.create(1 + THREADS)
        self.slips.lease_ns = boottime_ns() + 60 * 10**9
        self.ours, self.theirs = socket_pair()

    def post(self, recycling: Recycling | None = None) -> Post:
        """Return what the runner is given; its slips are not the first of the page."""
        place = Workplace("w", THREADS, "default", THREADS)
        return Post(1, self.theirs, self.slips, place, recycling or Recycling())

    def send(self, count: int) -> None:
        """Hand out so many jobs, each long enough that all seats have one."""
        for _ in range(count):
            send(self.ours, assignment(misbehaving.nap, "/dev/null", 0.03).to_bytes())

    def outcomes(self) -> list[str]:
        """Return how the jobs that were reported have ended."""
        found = []
        while True:
            try:
                message = receive(self.ours)
            except BlockingIOError:
                return found
            report = report_from_bytes(message or b"")
            assert isinstance(report, Outcome)
            found.append(report.outcome.value)

    @property
    def states(self) -> list[SlipState]:
        """What all slips say."""
        return [self.slips[number].state for number in range(1 + THREADS)]


@pytest.fixture
def office() -> Iterator[Office]:
    """Return a worker's side; the signals are put back after the test."""
    made, before = Office(), signal.getsignal(signal.SIGALRM)
    yield made
    signal.signal(signal.SIGALRM, before)
    made.ours.close()
    made.theirs.close()
    made.slips.close()


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
    monkeypatch.setattr(seats, "IDLE_CONNECTIONS_CLOSE", 0.01)
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
