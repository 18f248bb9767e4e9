"""Processes that bear a mark in their environment, in whichever session they hide."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]


# So long (seconds) a program may take to be loaded.
LOADING = 1.0


def marked(mark: str) -> list[int]:
    """Return those that are alive and have this `NAME=value`; a zombie has no environment."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):  # it has ended meanwhile, or is another user's
            if entry.name.isdigit() and mark.encode() in _environment(entry):
                found.append(int(entry.name))
    return found


def _environment(process: Path) -> list[bytes]:
    # While a program is being loaded its environment seems empty: `Popen` may have returned by then.
    while not (found := (process / "environ").read_bytes()) and _is_young(process):
        time.sleep(0.001)
    return found.split(b"\0")


def _is_young(process: Path) -> bool:
    """Return whether a process that is alive, and not the kernel's own, was started a moment ago."""
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    born, size = int(fields[19]) / os.sysconf("SC_CLK_TCK"), int(fields[20])
    return size > 0 and time.clock_gettime(time.CLOCK_BOOTTIME) - born < LOADING


def sweep(mark: str) -> None:
    """Kill all of them, those too that they make meanwhile."""
    while left := marked(mark):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


@contextmanager
def swept_behind_me(mark: str) -> Iterator[None]:
    """Have whoever bears this mark killed when this process is no more, even where that was by SIGKILL.

    Not by PR_SET_PDEATHSIG: that comes with the end of the thread which has started a process, and a worker's
    runners would outlive its parent.
    """
    # It has a session of its own, so that Ctrl-C does not end it first; its input ends with this process.
    command = [sys.executable, "-S", "-m", "tests.marks", mark]
    sweeper = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT, start_new_session=True)
    try:
        yield
    finally:
        sweep(mark)
        # Not by the end of its input, which a process that was forked meanwhile may hold open as well.
        sweeper.kill()
        sweeper.communicate()


if __name__ == "__main__":
    sys.stdin.read()
    sweep(sys.argv[1])
