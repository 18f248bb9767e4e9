"""What the runner's loop does around each job."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator

import pytest

from django_jobs.outcomes import Outcome
from django_jobs.runner.serve import Post, serve
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.messages import report_from_bytes
from django_jobs.wire.slips import Slips
from django_jobs.wire.sockets import receive, send, socket_pair
from tests.runner import jobs
from tests.runner.making import PLACE, assignment

SIGNALS = (signal.SIGALRM, signal.SIGTERM, signal.SIGINT)

pytestmark = pytest.mark.django_db(transaction=True)  # no transaction is open, which the loop would end


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    timer = signal.getitimer(signal.ITIMER_REAL)  # the time limit of the test
    yield
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    for number, handler in before.items():
        signal.signal(number, handler)
    signal.setitimer(signal.ITIMER_REAL, *timer)


def test_what_a_job_makes_of_the_signals_ends_with_it() -> None:
    slips = Slips.create(1)
    slips.lease_ns = boottime_ns() + 60 * 10**9
    ours, theirs = socket_pair()
    with ours, theirs:
        send(ours, assignment(jobs.upset_signals).to_bytes())
        ours.shutdown(socket.SHUT_WR)  # no other job comes
        serve(Post(0, theirs, slips, PLACE))
        report = report_from_bytes(receive(ours) or b"")
    slips.close()
    assert isinstance(report, Outcome)
    assert report.outcome == "completed"
    # An alarm that comes while there is no job must not end the runner, and the next job must be as deaf
    # as this one to what a service manager sends to the whole group.
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert [signal.getsignal(number) for number in SIGNALS if not callable(signal.getsignal(number))] == []
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) & set(SIGNALS) == set()
