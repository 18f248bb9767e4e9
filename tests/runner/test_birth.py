"""What makes a process a runner, seen from outside."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from django_jobs.runner.birth import become_runner, live


def _ended(life: Callable[[], Any]) -> int:
    """Fork a process that lives so; return its exit code."""
    pid = os.fork()
    if pid == 0:
        live(life)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_runner_leads_its_own_session_and_is_deaf_to_term_and_int() -> None:
    maker = os.getpid()

    def life() -> None:
        become_runner(maker=maker, new_session=True)
        assert os.getsid(0) == os.getpid()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        assert os.read(0, 1) == b""

    assert _ended(life) == 0


def test_programs_that_a_runner_starts_are_not_deaf() -> None:
    maker = os.getpid()

    def life() -> None:
        become_runner(maker=maker, new_session=True)
        os.execvp("sh", ["sh", "-c", "kill -TERM $$; exit 0"])

    assert _ended(life) == -signal.SIGTERM


def test_a_runner_whose_maker_is_gone_ends_before_it_begins() -> None:
    def life() -> None:
        become_runner(maker=1, new_session=True)
        os._exit(7)

    assert _ended(life) == 1


def test_a_runner_dies_with_its_maker() -> None:
    read, write = os.pipe()

    def maker() -> None:
        me = os.getpid()
        if os.fork() == 0:
            os.close(read)
            become_runner(maker=me, new_session=True)
            os.write(write, b"ready")
            while True:
                signal.pause()
        os.read(read, 5)
        os.kill(me, signal.SIGKILL)

    assert _ended(maker) == -signal.SIGKILL
    os.close(write)
    # The end of the pipe is the end of its last writer.
    assert os.read(read, 1) == b""
    os.close(read)


def test_what_ends_a_process_before_its_time_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    def life() -> None:
        print("printed", end="")
        raise SystemExit("no more")

    assert _ended(life) == 1
    told = capfd.readouterr()
    assert "SystemExit: no more" in told.err
    assert "printed" in told.out
