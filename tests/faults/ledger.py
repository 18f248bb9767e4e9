"""What really happened, as a file outside the database: one short line by whoever does something.

Enqueuers, jobs and whoever injects faults write into it. What the database says is held against it
(see `accounts`), so nothing here reads or writes the database.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from django_jobs import get_current_job


class Entry(NamedTuple):
    """A line: when (CLOCK_MONOTONIC, which all processes share and nobody sets), who, what, of which run."""

    clock: float
    pid: int
    event: str
    job: str
    attempt: int
    token: str
    note: str

    @classmethod
    def of(cls, line: str) -> Entry:
        """Read a line."""
        clock, pid, event, job, attempt, token, note = line.split(" ", 6)
        return cls(float(clock), int(pid), event, job, int(attempt), token, note)


class Ledger:
    """Takes the lines of many processes; what one of them wrote before it was killed is there."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._counted: Counter[str] = Counter()
        self._read = 0
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return str(self.path)

    def write(
        self, event: str, job: object = "-", attempt: int = 0, token: object = "-", note: object = ""
    ) -> None:
        """Append a line in one write, so that lines of several processes never mix."""
        line = f"{time.monotonic():.6f} {os.getpid()} {event} {job} {attempt} {token} {note}\n"
        # Opened each time: jobs close what they find open.
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)

    def write_run(self, event: str) -> None:
        """Append a line of the run that this is called in; its note is the pid of who made the runner."""
        if (job := get_current_job()) is None:
            self.write(event)
        else:
            self.write(event, job.id, job.attempt, _token(job.notebook._send), os.getppid())

    def lines(self) -> Iterator[Entry]:
        """Yield the entries so far, one at a time: a long run writes millions."""
        if self.path.exists():
            with self.path.open() as file:
                # The last one may be under way.
                yield from (Entry.of(line[:-1]) for line in file if line.endswith("\n"))

    def entries(self) -> list[Entry]:
        """Return the entries so far, in the order in which they were written."""
        return list(self.lines())

    def count(self, event: str) -> int:
        """Return how many entries of this event there are; reads only what is new."""
        with self._lock:
            if self.path.exists():
                self._read_on()
            return self._counted[event]

    def _read_on(self) -> None:
        with self.path.open("rb") as file:
            file.seek(self._read)
            new, end, _ = file.read().rpartition(b"\n")
        self._read += len(new) + len(end)
        self._counted.update(line.split(b" ", 3)[2].decode() for line in new.splitlines())


def _token(send: Callable[..., object] | None) -> object:
    # Jobs are not told their token, and need none; it is on the envelope of what they say.
    _, assignment = getattr(send, "args", (None, None))
    return "-" if assignment is None else assignment.token
