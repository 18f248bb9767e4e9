"""The demo's own worker: a real `runworker` process, started again when something kills it."""

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
    """The worker ended again and again."""


class DemoWorker:
    """Start a worker, keep one running, stop it by SIGTERM; a context manager."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.deaths: list[int] = []
        self.exit_code: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> DemoWorker:
        self.log.unlink(missing_ok=True)
        self._process = self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def keep_alive(self) -> bool:
        """Start the worker again if it has ended; return whether it had.

        Raises:
            WorkerGone: it had ended too often.
        """
        if self._process is None or (code := self._process.poll()) is None:
            return False
        self.deaths.append(code)
        if len(self.deaths) > RESTARTS:
            raise WorkerGone(f"the worker ended {len(self.deaths)} times, last with {code}; see {self.log}")
        self._process = self._start()
        return True

    def stop(self) -> None:
        """Stop the worker by SIGTERM to its pid and keep its exit code; stopping twice is fine."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()
        try:
            self.exit_code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            self.exit_code = process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(PROJECT.parent / "manage.py"), "runworker"]
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C is for the demo, which then stops the worker in order.
            return subprocess.Popen(
                [*command, "--processes", str(PROCESSES)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_stop_when_the_demo_dies if sys.platform == "linux" else None,
            )


def _stop_when_the_demo_dies() -> None:
    # Even a kill -9 of the demo leaves no worker behind.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
