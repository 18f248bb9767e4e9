"""What makes a fresh process a runner."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

PR_SET_PDEATHSIG = 1


def become_runner(*, maker: int, new_session: bool) -> None:
    """Set up this process: own session, no standard input, dies with its maker, deaf to TERM and INT.

    Args:
        maker: the pid of the process that made this one.
        new_session: whether to leave the maker's session (False: it was started in its own).
    """
    if new_session:
        os.setsid()
    die_with(maker)
    ignore_signals()
    _forget_input()


def die_with(maker: int) -> None:
    """Have the kernel kill this process when its maker dies, and exit if that has happened already."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    # The maker may have died before prctl was in force; no signal comes for that any more.
    if os.getppid() != maker:
        os._exit(1)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Hear a signal and do nothing."""


_SIGNALS = ((signal.SIGTERM, _ignore), (signal.SIGINT, _ignore), (signal.SIGCHLD, signal.SIG_DFL))


def ignore_signals() -> None:
    """Be deaf to TERM and INT."""
    # A service manager signals the whole group, but only the parent decides when a job ends.
    # Handlers and not SIG_IGN: programs that a job starts would inherit SIG_IGN.
    signal.set_wakeup_fd(-1)
    for number, handler in _SIGNALS:
        signal.signal(number, handler)


def live(life: Callable[[], None]) -> NoReturn:
    """Spend this process's whole life here: tell what ended it before its time, then exit."""
    status = 1
    try:
        life()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            flush_output()
        finally:
            # Never back into the maker's stack: its frames and atexit hooks are not ours. And no waiting
            # for threads that a job has left.
            os._exit(status)


def flush_output() -> None:
    """Write out what was printed; a process that is killed or forked must leave none of it behind."""
    for stream in sys.stdout, sys.stderr:
        try:  # noqa: SIM105  after each job, and `suppress` takes longer than the flush
            stream.flush()
        except (AttributeError, OSError, ValueError):  # it may be None, broken, closed or replaced
            pass


def _forget_input() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  it is this process's standard input from now on
