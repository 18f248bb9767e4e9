"""Real `runworker` processes, started and ended by their tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections

from django_jobs.models import Job
from tests.conftest import TEST_DATABASE
from tests.faults.ledger import Ledger as Record
from tests.marks import marked, sweep
from tests.proxy import Address, Proxy
from tests.servers import Server, private

PATIENCE = float(os.environ.get("TEST_PATIENCE", "45"))
# A time limit that is soon over (seconds), but not before its job has written that it has begun, and has
# started its programs: on a busy machine both may take some tenths of a second.
SOON = 1.0
NEVER = "it never became true"
# On a private server.
PRIVATE_DATABASE = "jobs"


class WorkerProcess:
    """One `runworker` with its log."""

    def __init__(self, log: Path, environment: dict[str, str], *options: str) -> None:
        self._log = log
        # Whatever comes of it bears this mark, in whichever session it hides.
        self._mark = f"TEST_WORKER={log}"
        environment = {**environment, "TEST_WORKER": str(log)}
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
    def family(self) -> list[int]:
        """The living processes that have come of it, itself among them."""
        return marked(self._mark)

    @property
    def log(self) -> str:
        """What the worker has printed."""
        return self._log.read_text()

    def beside(self, ending: str) -> Path:
        """Return the file of this name and another ending."""
        return self._log.with_name(self._log.name + ending)

    def forget_log(self) -> None:
        """Remove what the worker has printed."""
        self._log.unlink()

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
        """Kill it if it is still there, and whatever has come of it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        # What a test has frozen does not end with its parent, and may be there when that has ended before.
        sweep(self._mark)

    def until(self, fact: Callable[[], Any], *, patience: float = PATIENCE, why: str = NEVER) -> Any:
        """Wait until a fact holds, for so many seconds; return what it says, or fail with `why`."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if value := fact():
                return value
            time.sleep(0.01)
        pytest.fail(f"{why}; the worker's log:\n{self.log}")

    def until_final(self, *jobs: Job, why: str = NEVER) -> list[Job]:
        """Wait until all these jobs are final; return them as they are then, or fail with `why`."""
        ids = [job.pk for job in jobs]

        def final() -> list[Job] | None:
            found = {job.pk: job for job in Job.objects.filter(pk__in=ids)}
            ordered = [found[pk] for pk in ids]
            return ordered if all(job.is_final for job in ordered) else None

        return self.until(final, why=why)


Start = Callable[..., WorkerProcess]


@pytest.fixture
def start_worker(subprocess_environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a worker: options as words, settings as keywords.

    `database` changes the entry of DATABASES for it, `claim_size` bounds the jobs it holds for each process,
    `variables` are for its environment alone.
    """
    started = ExitStack()
    numbers = count()

    def start(
        *options: str,
        database: Mapping[str, object] | None = None,
        claim_size: int | None = None,
        variables: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> WorkerProcess:
        environment = {
            **_project(subprocess_environment, database),
            **(variables or {}),
            "TEST_DJANGO_JOBS": json.dumps(settings),
            "TEST_CLAIM_SIZE": str(claim_size or ""),
        }
        worker = WorkerProcess(tmp_path / f"worker{next(numbers)}.log", environment, *options)
        started.callback(worker.end)
        return worker

    with started:
        yield start


Ask = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start_asking(subprocess_environment: dict[str, str]) -> Iterator[Ask]:
    """Return a function that starts a process which enqueues until it gets SIGTERM, see `asking`.

    It takes a ledger, a seed, and what is to change of the entry of DATABASES.
    """
    started: list[subprocess.Popen[bytes]] = []

    def start(
        ledger: object, seed: int, *, database: Mapping[str, object] | None = None
    ) -> subprocess.Popen[bytes]:
        environment = _project(subprocess_environment, database)
        command = [sys.executable, "-m", "tests.processes.asking", str(ledger), str(seed)]
        started.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL))
        return started[-1]

    yield start
    for asker in started:
        if asker.poll() is None:
            asker.kill()
            asker.wait()


def _project(environment: dict[str, str], database: Mapping[str, object] | None) -> dict[str, str]:
    return {
        **environment,
        "DJANGO_SETTINGS_MODULE": "tests.processes.settings",
        "PYTHONPATH": os.getcwd(),
        "TEST_DATABASE_ENTRY": json.dumps(database or {}),
    }


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Return an empty ledger."""
    return Ledger(tmp_path / "ledger")


def _server() -> Address:
    host, port = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
    if not host.startswith("/"):
        return host, int(port or {"postgresql": 5432}.get(connection.vendor, 3306))
    return f"{host}/.s.PGSQL.{port or 5432}" if connection.vendor == "postgresql" else host


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """Return a proxy in front of the tests' server."""
    made = Proxy(_server())
    yield made
    made.close()


def through(proxy: Proxy) -> dict[str, str]:
    """Return what leads through a proxy, for the entry of DATABASES."""
    return {"HOST": "127.0.0.1", "PORT": str(proxy.port)}


@contextmanager
def used_here(entry: Mapping[str, object]) -> Iterator[None]:
    """Change the entry of DATABASES for this process."""
    usual = connections["default"]
    connections["default"] = usual.copy()
    connections["default"].settings_dict.update(entry)
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = usual


@pytest.fixture
def server(transactional_db: None) -> Iterator[Server]:
    """Return a server of this test alone, with the tables; `default` is on it meanwhile."""
    with private(TEST_DATABASE) as server:
        server.execute(f"CREATE DATABASE {PRIVATE_DATABASE}")
        with used_here(entry_of(server)):
            call_command("migrate", verbosity=0)
            yield server


def entry_of(server: Server) -> dict[str, Any]:
    """Return what leads to a private server, for the entry of DATABASES."""
    place = {"HOST": "127.0.0.1", "PORT": str(server.port)}
    return {**place, "NAME": PRIVATE_DATABASE, "USER": server.superuser, "PASSWORD": ""}


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Return an empty ledger of the kind that is held against the database, see `tests.faults.accounts`."""
    return Record(tmp_path / "record")


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
    return _state(pid) in "ZX"


def is_asleep(pid: int) -> bool:
    """Return whether this process waits for something."""
    return _state(pid) == "S"


def _state(pid: int) -> str:
    # The letters are those of proc(5).
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def children(pid: int) -> list[int]:
    """Return the pids of a process's children."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def session_of(leader: int) -> list[int]:
    """Return the living processes of the session that a process leads."""
    found = []
    for pid in [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]:
        with suppress(OSError):  # it has ended meanwhile
            if os.getsid(pid) == leader and not is_gone(pid):
                found.append(pid)
    return found
