"""The jobs that are measured: some do nothing, the others hang."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

from django_jobs import job
from django_jobs.wire.clock import boottime_ns


@job
def no_op(number: int = 0) -> None:
    """Do nothing."""


@job
async def no_op_later(number: int = 0) -> None:
    """Do nothing, in a coroutine."""


@job
def take(milliseconds: float) -> None:
    """Take so long, without the processor."""
    time.sleep(milliseconds / 1000)


@job
def begin() -> int:
    """Return when this began (nanoseconds of CLOCK_BOOTTIME, which all processes of a host share)."""
    return boottime_ns()


def _begun(note: str) -> None:
    """Tell the leader of the session this runs in, and when it began."""
    beside = Path(f"{note}.new")
    beside.write_text(f"{os.getsid(0)} {boottime_ns()}")
    beside.rename(note)  # whoever waits for it reads it whole


@job(max_attempts=1)
def sleep(note: str) -> None:
    """Sleep for a minute."""
    _begun(note)
    time.sleep(60)


@job(max_attempts=1)
def spin(note: str) -> None:
    """Loop in Python code."""
    _begun(note)
    while True:
        continue


@job(max_attempts=1)
def hold_the_gil(note: str) -> None:
    """Loop in C code that never comes back."""
    _begun(note)
    sum(range(10**12))


@job(max_attempts=1)
def stubborn_child(note: str) -> None:
    """Wait for a program that ignores SIGTERM."""
    program = "import signal,time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(300)"
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    _begun(note)
    child.stdout.readline()
    child.wait()


@job(max_attempts=1)
async def await_long(note: str) -> None:
    """Wait for a minute in a coroutine."""
    _begun(note)
    await asyncio.sleep(60)


@job(max_attempts=1)
def among_threads(note: str) -> None:
    """Sleep for a minute in a thread, where no exception is heard before the sleep is over."""
    _begun(note)
    time.sleep(60)


@job(max_attempts=1)
def neighbour(over: str) -> None:
    """Work in another thread until a file exists."""
    while not Path(over).exists():
        time.sleep(0.01)
