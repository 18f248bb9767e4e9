"""What a job makes of its process is put back, or is known not to be."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from django_jobs.runner.birth import live
from django_jobs.runner.surroundings import Surroundings


def _look() -> dict[str, Any]:
    limits = [resource.getrlimit(which) for which in range(resource.RLIMIT_AS + 1)]
    os.umask(umask := os.umask(0))
    return {
        "folder": os.readlink("/proc/self/cwd"),
        "umask": umask,
        "handlers": [signal.getsignal(number) for number in sorted(signal.valid_signals())],
        "mask": signal.pthread_sigmask(signal.SIG_BLOCK, []),
        "timers": [signal.getitimer(timer) for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF)],
        "streams": [sys.stdin, sys.stdout, sys.stderr],
        "limits": limits,
    }


def _go_away() -> None:
    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir("../gone")


def _ignore_all() -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)


def _replace_streams() -> None:
    sys.stdin = sys.stdout = sys.stderr = StringIO()


def _lower_limits() -> None:
    for which in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(which, (0, resource.getrlimit(which)[1]))


CHANGES: dict[str, Callable[[], object]] = {
    "folder": lambda: os.chdir("/"),
    "handlers": _ignore_all,
    "limits": _lower_limits,
    "mask": lambda: signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals()),
    "removed folder": _go_away,
    "streams": _replace_streams,
    "timers": lambda: [signal.setitimer(timer, 1000) for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF)],
    "umask": lambda: os.umask(0o777),
}


def _ended(life: Callable[[], object]) -> int:
    """Fork a process that lives so; return its exit code."""
    pid = os.fork()
    if pid == 0:
        live(lambda: (life(), None)[1])
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_it_is_put_back(change: str, tmp_path: Path) -> None:
    def life() -> None:
        os.chdir(tmp_path)
        signal.setitimer(signal.ITIMER_REAL, 0)  # the time limit of the test
        surroundings, before = Surroundings(), _look()
        CHANGES[change]()
        assert _look() != before
        surroundings.restore()
        after = _look()
        assert [what for what in before if before[what] != after[what]] == []
        assert surroundings.sound

    assert _ended(life) == 0


def test_it_finds_back_to_a_folder_that_has_another_name_now(tmp_path: Path) -> None:
    def life() -> None:
        os.mkdir(tmp_path / "old")
        os.chdir(tmp_path / "old")
        surroundings = Surroundings()
        os.chdir("/")
        os.rename(tmp_path / "old", tmp_path / "new")
        surroundings.restore()
        assert Path.cwd() == tmp_path / "new"

    assert _ended(life) == 0


class _EqualsAll:
    def __call__(self, *_: object) -> None: ...

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def test_a_handler_that_equals_any_other_is_replaced_as_well() -> None:
    def life() -> None:
        surroundings, before = Surroundings(), signal.getsignal(signal.SIGUSR1)
        signal.signal(signal.SIGUSR1, _EqualsAll())
        surroundings.restore()
        assert signal.getsignal(signal.SIGUSR1) is before

    assert _ended(life) == 0


@pytest.mark.parametrize("fds", [(0, 3), (1, 2), (3, 1000)])
def test_closed_files_cannot_be_put_back(fds: tuple[int, int]) -> None:
    def life() -> None:
        surroundings = Surroundings()
        os.closerange(*fds)
        surroundings.restore()
        os._exit(0 if not surroundings.sound else 3)

    assert _ended(life) == 0


def test_what_could_not_be_put_back_once_never_can() -> None:
    def life() -> None:
        surroundings, kept = Surroundings(), os.dup(1)
        os.close(1)
        surroundings.restore()
        os.dup2(kept, 1)
        surroundings.restore()
        assert not surroundings.sound

    assert _ended(life) == 0
