"""Messages arrive whole, in order, and leave no descriptor behind."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_jobs.wire import sockets
from django_jobs.wire.sockets import INLINE_LIMIT, inherited_socket, receive, send, socket_pair

Pair = tuple[socket.socket, socket.socket]
SIZES = [0, 1, INLINE_LIMIT - 1, INLINE_LIMIT, INLINE_LIMIT + 1, 3 * 1024 * 1024]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Return both ends of a connection."""
    ours, theirs = socket_pair()
    yield ours, theirs
    ours.close()
    theirs.close()


def _fill(end: socket.socket) -> None:
    while True:
        try:
            send(end, b"x", wait=False)
        except BlockingIOError:
            return


def _descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("size", SIZES)
def test_a_message_of_any_size_arrives_as_it_was_sent(pair: Pair, size: int) -> None:
    message = os.urandom(size)
    send(pair[0], message)
    assert receive(pair[1]) == message


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_messages_stay_apart_and_in_order(messages: list[bytes]) -> None:
    ours, theirs = socket_pair()
    with ours, theirs:
        for message in messages:
            send(ours, message)
        assert [receive(theirs) for _ in messages] == messages


def test_large_messages_leave_no_descriptor_open(pair: Pair) -> None:
    before = _descriptors()
    for _ in range(20):
        send(pair[0], b"x" * INLINE_LIMIT)
        receive(pair[1])
    assert _descriptors() == before


def test_a_large_message_for_which_there_is_no_room_leaves_no_descriptor_open(pair: Pair) -> None:
    before = _descriptors()
    _fill(pair[0])
    with pytest.raises(BlockingIOError):
        send(pair[0], b"x" * INLINE_LIMIT, wait=False)
    assert _descriptors() == before


@pytest.mark.parametrize("size", [10, INLINE_LIMIT])
def test_nothing_there_is_told_without_waiting(pair: Pair, size: int) -> None:
    with pytest.raises(BlockingIOError):
        receive(pair[1])


def test_a_projects_default_timeout_changes_nothing() -> None:
    socket.setdefaulttimeout(5)
    try:
        ours, theirs = socket_pair()
        again = inherited_socket(os.dup(theirs.fileno()))
    finally:
        socket.setdefaulttimeout(None)
    with ours, theirs, again:
        for end in (ours, theirs, again):
            assert end.gettimeout() is None
            assert os.get_blocking(end.fileno())
            with pytest.raises(BlockingIOError):
                receive(end)


def test_an_inherited_socket_is_not_passed_on(pair: Pair) -> None:
    fd = os.dup(pair[0].fileno())
    os.set_inheritable(fd, True)
    with inherited_socket(fd):
        assert not os.get_inheritable(fd)


def test_the_end_of_the_other_side_reads_as_none(pair: Pair) -> None:
    send(pair[0], b"last")
    pair[0].close()
    assert receive(pair[1]) == b"last"
    assert receive(pair[1]) is None


def test_the_end_of_a_side_that_had_messages_unread_reads_as_none(pair: Pair) -> None:
    send(pair[1], b"unread")
    pair[0].close()
    assert receive(pair[1]) is None


@pytest.mark.parametrize("unread", [True, False])
def test_sending_to_nobody_is_a_broken_pipe(pair: Pair, unread: bool) -> None:
    if unread:
        send(pair[0], b"unread")
    pair[1].close()
    with pytest.raises(BrokenPipeError):
        send(pair[0], b"too late")


@pytest.mark.parametrize("shortage", [errno.ENOBUFS, errno.ENOMEM, errno.EMFILE, errno.ETOOMANYREFS])
def test_a_shortage_counts_as_no_room_for_who_does_not_wait(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, shortage: int
) -> None:
    def fail(*_: object) -> None:
        raise OSError(shortage, "short")

    monkeypatch.setattr(sockets, "_send", fail)
    with pytest.raises(BlockingIOError):
        send(pair[0], b"x", wait=False)
    with pytest.raises(OSError, match="short") as raised:
        send(pair[0], b"x")
    assert not isinstance(raised.value, BlockingIOError)


def test_a_large_message_without_a_descriptor_left_is_told_by_name(pair: Pair) -> None:
    # What the kernel hands over when it could not install the descriptor.
    pair[0].send(b"f")
    with pytest.raises(OSError, match="no descriptor left"):
        receive(pair[1])
