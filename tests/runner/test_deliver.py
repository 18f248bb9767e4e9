"""What the loop of the runner that tells receivers of signals says of itself."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from django_jobs.runner import deliver as delivering
from django_jobs.runner.deliver import deliver
from django_jobs.runner.post import Post
from django_jobs.wire.events import Event, batch_to_bytes
from django_jobs.wire.slips import Run, Slips
from django_jobs.wire.sockets import receive, send, socket_pair
from tests.runner.making import PLACE

pytestmark = pytest.mark.django_db(transaction=True)  # no transaction is open, which the loop would end


@pytest.fixture(autouse=True)
def _alarm() -> Iterator[None]:
    before, timer = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    yield
    signal.signal(signal.SIGALRM, before)
    signal.setitimer(signal.ITIMER_REAL, *timer)  # the time limit of the test


def test_the_slip_names_no_event_any_more_when_the_batch_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    slips, named = Slips.create(1), list[Run | None]()

    def look_and_send(sock: socket.socket, message: bytes, **more: Any) -> None:
        named.append(slips[0].run())
        send(sock, message, **more)

    monkeypatch.setattr(delivering, "send", look_and_send)
    events = [Event("worker_started", None, {"worker_id": "w"}).to_bytes() for _ in range(2)]
    ours, theirs = socket_pair()
    with ours, theirs:
        send(ours, batch_to_bytes(events))
        ours.shutdown(socket.SHUT_WR)  # nothing else comes
        deliver(Post(0, theirs, slips, PLACE))
        assert receive(ours) == b"2"
    slips.close()
    assert named == [None]
