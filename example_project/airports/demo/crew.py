"""The guide's own processes: real `manage.py` commands, started again when something kills them."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

from example_project.settings import PROJECT

MANAGE = (sys.executable, str(PROJECT.parent / "manage.py"))
RESTARTS = 5
# Longer than the worker's own grace for its running jobs.
STOP_SECONDS = 40
_PR_SET_PDEATHSIG = 1
# Found beforehand: between fork and exec as little as possible should happen.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class CrewGone(Exception):
    """The processes ended again and again, or badly."""


class Crew:
    """Start commands, keep them running, stop them by SIGTERM; a context manager.

    Args:
        log: the file all their output goes to; emptied first.
        commands: for each process the words after `manage.py`.
        environment: what their environment has besides that of this process.
    """

    def __init__(
        self, log: Path, commands: Sequence[Sequence[str]], *, environment: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        self.deaths: list[int] = []
        self.exit_codes: list[int] = []
        self._commands = commands
        self._environment = {**os.environ, **(environment or {})}
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Crew:
        self.log.unlink(missing_ok=True)
        self._processes = [self._start(command) for command in self._commands]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def keep_alive(self) -> list[int]:
        """Start those again that have ended; return their exit codes.

        Raises:
            CrewGone: that happened too often.
        """
        codes = []
        for place, process in enumerate(self._processes):
            if (code := process.poll()) is not None:
                codes.append(code)
                self._replace(place, code)
        return codes

    def add(self, words: Sequence[str]) -> None:
        """Start one more command, and keep it running too."""
        self._commands = [*self._commands, words]
        self._processes.append(self._start(words))

    def stop(self) -> None:
        """Stop all by SIGTERM to their pids and keep their exit codes; stopping twice is fine."""
        processes, self._processes = self._processes, []
        for process in processes:
            process.terminate()
        self.exit_codes += [_end_of(process) for process in processes]

    def _replace(self, place: int, code: int) -> None:
        self.deaths.append(code)
        if len(self.deaths) > RESTARTS:
            raise CrewGone(
                f"{self._commands[place][0]} ended with {code}, the {len(self.deaths)}th end of a process; "
                f"see {self.log}"
            )
        self._processes[place] = self._start(self._commands[place])

    def _start(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C is for the one command, which then stops the others in order.
            return subprocess.Popen(
                [*MANAGE, *words],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(_stop_when_the_parent_dies, os.getpid()) if _prctl else None,
            )


def _end_of(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _stop_when_the_parent_dies(parent: int) -> None:
    # Even a kill -9 of the command leaves no process behind.
    assert _prctl is not None
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # which died before it was asked for
        os._exit(1)
