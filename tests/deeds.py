"""What no job should do to its process; the jobs of `tests.jobs_that_misbehave` do it."""

from __future__ import annotations

import faulthandler
import locale
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from io import StringIO
from typing import Any

from django.db import connection, transaction

CATCHABLE = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
# Nothing here waits longer (seconds), should the worker not end it.
LONGEST = 60
_kept: list[Any] = []


class Furious(BaseException):
    """An error that is no Exception."""


class Unspeakable(Exception):
    """An error that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def _raise(error: BaseException) -> None:
    raise error


def _set_all_signals(handler: Any) -> None:
    for number in CATCHABLE:
        signal.signal(number, handler)


def _block_all_signals() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, CATCHABLE)


def _lower_limits(*, for_good: bool) -> None:
    for which in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(which, (0, 0 if for_good else resource.getrlimit(which)[1]))


def _enter_a_folder_and_remove_it() -> None:
    os.chdir(folder := tempfile.mkdtemp())
    os.rmdir(folder)


def _daemonise(*, parent: Callable[[], object]) -> None:
    """Fork twice, with a session between; what comes of the first process is left to `parent`."""
    if child := os.fork():
        os.waitpid(child, 0)
        parent()
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    time.sleep(1)  # and then it returns to where it came from, as the daemon it is


def _fork_and_return_from_both() -> int:
    return os.fork()


def _leave_a_pool() -> int:
    _kept.append(pool := multiprocessing.get_context("fork").Pool(2))
    return sum(pool.map(abs, range(-10, 0)))


def _leave_a_program() -> None:
    _kept.append(subprocess.Popen(["sleep", str(LONGEST)]))


def _leave_threads() -> None:
    for daemon in (True, False):
        threading.Thread(target=time.sleep, args=(LONGEST,), daemon=daemon).start()


def _leave_a_transaction() -> None:
    transaction.atomic().__enter__()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_content_type (app_label, model) VALUES ('left', 'open')")


def _close_the_connection_underneath() -> None:
    connection.ensure_connection()
    connection.connection.close()


def _print(size: int) -> None:
    for _ in range(size // 2**20):
        sys.stdout.write("x" * (2**20 - 1) + "\n")


def _replace_streams() -> None:
    sys.stdin = sys.stdout = sys.stderr = StringIO()


def _change_what_python_keeps() -> None:
    os.environ["LANG"] = os.environ["LEFT_BY_A_JOB"] = "C"
    locale.setlocale(locale.LC_ALL, "C")
    faulthandler.disable()


def _set_timers() -> None:
    for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        signal.setitimer(timer, 0.2)


def _signal_the_group(number: int) -> None:
    os.killpg(0, number)


def _die_of_an_ordinary_signal() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LONGEST)


def _recurse() -> None:
    _recurse()


def _generate() -> Iterator[int]:
    yield 1


async def _generate_later() -> AsyncIterator[int]:
    yield 1


# After these the job has completed.
BORNE: dict[str, Callable[[], object]] = {
    "blocks all signals": _block_all_signals,
    "changes what Python keeps": _change_what_python_keeps,
    "closes its connection": connection.close,
    "closes its connection underneath": _close_the_connection_underneath,
    "closes its standard files": lambda: os.closerange(0, 3),
    "closes its standard output": lambda: sys.stdout.close(),
    "daemonises": lambda: _daemonise(parent=lambda: None),
    "forks and returns from both": _fork_and_return_from_both,
    "has all signals do what they do": lambda: _set_all_signals(signal.SIG_DFL),
    "hears all signals": lambda: _set_all_signals(lambda *_: None),
    "ignores all signals": lambda: _set_all_signals(signal.SIG_IGN),
    "interrupts its group": lambda: _signal_the_group(signal.SIGINT),
    "leaves a pool": _leave_a_pool,
    "leaves a program": _leave_a_program,
    "leaves a transaction": _leave_a_transaction,
    "leaves threads": _leave_threads,
    "lowers its limits": lambda: _lower_limits(for_good=False),
    "lowers its limits for good": lambda: _lower_limits(for_good=True),
    "makes its files nobody's": lambda: os.umask(0o777),
    "prints much": lambda: _print(100 * 2**20),
    "removes its folder": _enter_a_folder_and_remove_it,
    "replaces its streams": _replace_streams,
    "sets timers": _set_timers,
    "terminates its group": lambda: _signal_the_group(signal.SIGTERM),
    "terminates its maker": lambda: os.kill(os.getppid(), signal.SIGTERM),
}

# After these the attempt has failed: what is done, and a part of what is said of it.
FAILING: dict[str, tuple[Callable[[], object], str]] = {
    "asks for too much memory": (lambda: bytes(2**62), ""),
    "exits": (lambda: sys.exit("enough"), "enough"),
    "interrupts itself": (lambda: _raise(KeyboardInterrupt("enough")), "enough"),
    "leads another session": (os.setsid, "not permitted"),
    "raises a group": (lambda: _raise(ExceptionGroup("many", [ValueError("one")])), "many (1 sub-exception)"),
    "raises no Exception": (lambda: _raise(Furious("enough")), "enough"),
    "raises what cannot be pickled": (lambda: _raise(ValueError(threading.Lock())), "_thread.lock"),
    "raises what cannot be shown": (lambda: _raise(Unspeakable()), "its __str__ raised RuntimeError"),
    "recurses": (_recurse, "recursion"),
    "returns a generator": (_generate, "generator"),
    "returns an asynchronous one": (_generate_later, "async_generator"),
}

# After these the runner has died.
DEADLY: dict[str, tuple[Callable[[], object], str]] = {
    "closes all files": (
        lambda: os.closerange(0, 1000),
        "code 74: its job had closed the connection",
    ),
    "daemonises and exits": (lambda: _daemonise(parent=lambda: os._exit(0)), "exited with code 0"),
    "dies of an ordinary signal": (_die_of_an_ordinary_signal, "killed by SIGTERM"),
}


def all_deeds() -> dict[str, Callable[[], object]]:
    """Return every deed by its name."""
    named = {name: deed for name, (deed, _) in (FAILING | DEADLY).items()}
    return BORNE | named


def look_around() -> dict[str, Any]:
    """Return what a job finds that runs in a process as it should be; plain data."""
    os.umask(umask := os.umask(0))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_content_type WHERE app_label = 'left'")
        left = cursor.fetchone()[0]
    return {
        "folder": os.getcwd(),
        "umask": umask,
        "handlers": [_name(signal.getsignal(number)) for number in CATCHABLE],
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "timers": [signal.getitimer(timer)[0] for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF)],
        "limits": [list(resource.getrlimit(which)) for which in range(resource.RLIMIT_AS + 1)],
        "streams": [type(stream).__name__ for stream in (sys.stdin, sys.stdout, sys.stderr)],
        "files": [os.readlink(f"/proc/self/fd/{fd}") for fd in range(3)],
        "autocommit": connection.get_autocommit() and not connection.in_atomic_block,
        "left": left,
    }


def _name(handler: Any) -> str:
    return getattr(handler, "__qualname__", str(handler))
