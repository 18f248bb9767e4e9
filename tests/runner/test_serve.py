"""What the runner's loop does around each job."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from django_jobs.outcomes import Outcome
from django_jobs.runner.birth import ignore_signals
from django_jobs.runner.post import Post
from django_jobs.runner.serve import serve
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.messages import report_from_bytes
from django_jobs.wire.slips import Slips
from django_jobs.wire.sockets import identity, receive, send, socket_pair
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
        ignore_signals()
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


def test_a_report_goes_to_no_file_that_a_job_has_put_in_the_place_of_the_connection(tmp_path: Path) -> None:
    with (tmp_path / "other").open("w") as other, socket.socket() as sock:
        post = Post(0, sock, Slips.create(1), PLACE)
        before = identity(sock.fileno())
        os.dup2(other.fileno(), sock.fileno())
        assert post.connection == before != identity(sock.fileno())
