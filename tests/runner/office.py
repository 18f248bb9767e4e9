"""The worker's side of one runner with several seats, which a test runs in its own process."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from django_jobs.context import Workplace
from django_jobs.functions import JobFunction
from django_jobs.outcomes import Outcome
from django_jobs.recycling import Recycling
from django_jobs.runner.post import Post
from django_jobs.runner.serve import serve
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.messages import report_from_bytes
from django_jobs.wire.slips import Slips, SlipState
from django_jobs.wire.sockets import receive, send, socket_pair
from tests import jobs_that_misbehave as misbehaving
from tests.runner.making import assignment

THREADS = 3


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
            self.hand_out(misbehaving.nap, "/dev/null", 0.03)

    def hand_out(self, function: JobFunction[Any, Any], *args: Any, **columns: Any) -> None:
        """Hand out a job."""
        send(self.ours, assignment(function, *args, **columns).to_bytes())

    def results(self) -> list[Any]:
        """Run what was handed out and nothing else; return the results."""
        self.ours.shutdown(socket.SHUT_WR)  # no other job comes
        serve(self.post())
        return [json.loads(each.result_data or "null") for each in self.reports()]

    def reports(self) -> list[Outcome]:
        """Return what was reported of the jobs that have ended."""
        found = []
        while True:
            try:
                message = receive(self.ours)
            except BlockingIOError:
                return found
            report = report_from_bytes(message or b"")
            assert isinstance(report, Outcome)
            found.append(report)

    def outcomes(self) -> list[str]:
        """Return how the jobs that were reported have ended."""
        return [report.outcome.value for report in self.reports()]

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
