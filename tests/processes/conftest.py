"""Real `runworker` processes, started and ended by their tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from django_jobs.models import Job

PATIENCE = 20.0


class WorkerProcess:
    """One `runworker` with its log."""

    def __init__(self, log: Path, environment: dict[str, str], *options: str) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "django", "runworker", *options],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The parent's pid."""
        return self.process.pid

    @property
    def log(self) -> str:
        """What the worker has printed."""
        return self._log.read_text()

    def send(self, number: int) -> None:
        """Send the parent a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end; return the exit code."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the worker did not end; its log:\n{self.log}")

    def stop(self) -> int:
        """Ask it to stop, wait for the end."""
        self.send(signal.SIGTERM)
        return self.wait()

    def end(self) -> None:
        """Kill it if it is still there."""
        if self.process.poll() is None:
            # A nursery that a test has stopped would outlive its parent, and its runners with it.
            for pid in (*children(self.pid), self.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def until(self, fact: Callable[[], Any], *, patience: float = PATIENCE) -> Any:
        """Wait until a fact holds, for so many seconds; return what it says."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if value := fact():
                return value
            time.sleep(0.01)
        pytest.fail(f"never became true; the worker's log:\n{self.log}")

    def until_final(self, *jobs: Job) -> list[Job]:
        """Wait until all these jobs are final; return them as they are then."""
        ids = [job.pk for job in jobs]

        def final() -> list[Job] | None:
            found = {job.pk: job for job in Job.objects.filter(pk__in=ids)}
            ordered = [found[pk] for pk in ids]
            return ordered if all(job.is_final for job in ordered) else None

        return self.until(final)


Start = Callable[..., WorkerProcess]


@pytest.fixture
def start_worker(subprocess_environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a worker: options as words, settings as keywords.

    `database` changes the entry of DATABASES for it, `claim_size` bounds the jobs it holds for each process.
    """
    started: list[WorkerProcess] = []

    def start(
        *options: str,
        database: Mapping[str, object] | None = None,
        claim_size: int | None = None,
        **settings: Any,
    ) -> WorkerProcess:
        environment = {
            **subprocess_environment,
            "DJANGO_SETTINGS_MODULE": "tests.processes.settings",
            "PYTHONPATH": os.getcwd(),
            "TEST_DJANGO_JOBS": json.dumps(settings),
            "TEST_CLAIM_SIZE": str(claim_size or ""),
            "TEST_DATABASE_ENTRY": json.dumps(database or {}),
        }
        worker = WorkerProcess(tmp_path / f"worker{len(started)}.log", environment, *options)
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.end()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Return an empty ledger."""
    return Ledger(tmp_path / "ledger")


class Ledger:
    """The lines that jobs wrote, outside the database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch()

    def __str__(self) -> str:
        return str(self.path)

    @property
    def lines(self) -> list[str]:
        """The lines so far."""
        return self.path.read_text().splitlines()

    def pids(self, line: int = 0) -> list[int]:
        """The numbers in a line."""
        return [int(word) for word in self.lines[line].split() if word.isdigit()]


def is_gone(pid: int) -> bool:
    """Return whether no process of this pid is alive (a zombie is not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def children(pid: int) -> list[int]:
    """Return the pids of a process's children."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
