"""Whole messages over SOCK_SEQPACKET; large ones by memfd.

The runners' end is one open file shared by all of them, so it must stay in blocking mode:
whoever does not want to wait says so call by call (MSG_DONTWAIT).
"""

from __future__ import annotations

import array
import errno
import os
import socket

# Above this a message travels by memfd, so that a few large ones cannot fill the socket's buffer.
INLINE_LIMIT = 32 * 1024
_INLINE, _BY_FD = b"i", b"f"
# The kernel is short of something: memory, descriptors in all, or descriptors on their way.
_SHORTAGES = {errno.ENOBUFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETOOMANYREFS}
# Plain numbers: putting two members of an enum together takes as long as the system call.
_NO_SIGNAL, _NO_WAIT = int(socket.MSG_NOSIGNAL), int(socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT)
_RECEIVE = int(socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)
_FD_SPACE = socket.CMSG_SPACE(array.array("i").itemsize)


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a new connection that keeps messages apart."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # A project may have called socket.setdefaulttimeout(): then even MSG_DONTWAIT would wait.
    ours.setblocking(True)
    theirs.setblocking(True)
    return ours, theirs


def inherited_socket(fd: int) -> socket.socket:
    """Return the end of a connection that this program was given when it was started."""
    sock = socket.socket(fileno=fd)
    sock.setblocking(True)
    sock.set_inheritable(False)  # it had to be until here; the programs that a job starts do not get it
    return sock


def identity(fd: int) -> tuple[int, int] | None:
    """Tell which file a descriptor is, None when it is closed: its number may have become another's."""
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def send(sock: socket.socket, message: bytes, *, wait: bool = True) -> None:
    """Send one message whole.

    Raises:
        BlockingIOError: there is no room, memory or descriptor for it now, and wait is False.
        BrokenPipeError: nobody reads any more.
    """
    try:
        _send(sock, message, _NO_SIGNAL if wait else _NO_WAIT)
    except ConnectionResetError as gone:  # what a reader that died with messages unread leaves behind
        raise BrokenPipeError(errno.EPIPE, "nobody reads any more") from gone
    except OSError as error:
        if wait or error.errno not in _SHORTAGES:
            raise
        raise BlockingIOError(errno.EAGAIN, f"no room now: {error}") from error


def _send(sock: socket.socket, message: bytes, flags: int) -> None:
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
        OSError: this process has no descriptor left for a large message, which is lost by that.
    """
    try:
        data, ancillary, _, _ = sock.recvmsg(INLINE_LIMIT + 1, _FD_SPACE, _RECEIVE)
    except ConnectionResetError:
        return None
    if not data:
        return None
    if data[:1] == _INLINE:
        return data[1:]
    if not ancillary:
        raise OSError(errno.EMFILE, "no descriptor left to receive a large message")
    return _loaded(array.array("i", ancillary[0][2])[0])


def _stored(message: bytes) -> int:
    fd = os.memfd_create("django_jobs", os.MFD_CLOEXEC)
    try:
        with os.fdopen(fd, "wb", closefd=False) as file:
            file.write(message)
    except OSError:
        os.close(fd)
        raise
    return fd


def _loaded(fd: int) -> bytes:
    with os.fdopen(fd, "rb") as file:
        file.seek(0)  # the offset came along with the descriptor
        return file.read()
