"""Whole messages over SOCK_SEQPACKET; large ones by memfd.

The runners' end is one open file shared by all of them, so it must stay in blocking mode:
whoever does not want to wait says so call by call (MSG_DONTWAIT).
"""

from __future__ import annotations

import array
import os
import socket

# Above this a message travels by memfd, so that a few large ones cannot fill the socket's buffer.
INLINE_LIMIT = 32 * 1024
_INLINE, _BY_FD = b"i", b"f"
_FD_SPACE = socket.CMSG_SPACE(array.array("i").itemsize)


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a new connection that keeps messages apart."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(sock: socket.socket, message: bytes, *, wait: bool = True) -> None:
    """Send one message whole.

    Raises:
        BlockingIOError: there is no room now, and wait is False.
        BrokenPipeError: nobody reads any more.
    """
    flags = socket.MSG_NOSIGNAL | (0 if wait else socket.MSG_DONTWAIT)
    if len(message) < INLINE_LIMIT:
        sock.send(_INLINE + message, flags)
        return
    fd = _stored(message)
    try:
        passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        sock.sendmsg([_BY_FD], passed, flags)
    finally:
        os.close(fd)


def receive(sock: socket.socket) -> bytes | None:
    """Return the next message without waiting; None when the other end is closed for good.

    Raises:
        BlockingIOError: there is none now.
    """
    flags = socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
    try:
        data, ancillary, _, _ = sock.recvmsg(INLINE_LIMIT + 1, _FD_SPACE, flags)
    except ConnectionResetError:
        return None
    if not data:
        return None
    if data[:1] == _INLINE:
        return data[1:]
    return _loaded(array.array("i", ancillary[0][2])[0])


def _stored(message: bytes) -> int:
    fd = os.memfd_create("django_jobs", os.MFD_CLOEXEC)
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(message)
    return fd


def _loaded(fd: int) -> bytes:
    with os.fdopen(fd, "rb") as file:
        file.seek(0)  # the offset came along with the descriptor
        return file.read()
