"""The demo's own workers: real `runworker` processes, started again when something kills them."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from example_project.settings import PROJECT

PROCESSES = 2
RESTARTS = 5
# Longer than the worker's own grace for its running jobs.
STOP_SECONDS = 40
_PR_SET_PDEATHSIG = 1


class WorkerGone(Exception):
    """The workers ended again and again, or badly."""


class DemoWorkers:
    """Start workers, keep as many running, stop them by SIGTERM; a context manager."""

    def __init__(self, log: Path, *, count: int) -> None:
        self.log = log
        self.deaths: list[int] = []
        self.exit_codes: list[int] = []
        self._count = count
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> DemoWorkers:
        self.log.unlink(missing_ok=True)
        self._processes = [self._start() for _ in range(self._count)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def keep_alive(self) -> list[int]:
        """Start those again that have ended; return their exit codes.

        Raises:
            WorkerGone: that happened too often.
        """
        codes = []
        for place, process in enumerate(self._processes):
            if (code := process.poll()) is not None:
                codes.append(code)
                self._replace(place, code)
        return codes

    def stop(self) -> None:
        """Stop all by SIGTERM to their pids and keep their exit codes; stopping twice is fine."""
        processes, self._processes = self._processes, []
        for process in processes:
            process.terminate()
        self.exit_codes += [_end_of(process) for process in processes]

    def _replace(self, place: int, code: int) -> None:
        self.deaths.append(code)
        if len(self.deaths) > RESTARTS:
            raise WorkerGone(f"workers ended {len(self.deaths)} times, last with {code}; see {self.log}")
        self._processes[place] = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(PROJECT.parent / "manage.py"), "runworker"]
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C is for the demo, which then stops the workers in order.
            return subprocess.Popen(
                [*command, "--processes", str(PROCESSES)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_stop_when_the_demo_dies if sys.platform == "linux" else None,
            )


def _end_of(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _stop_when_the_demo_dies() -> None:
    # Even a kill -9 of the demo leaves no worker behind.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
