# /// script
# dependencies = ["gigq==0.5.1"]
# [tool.peer]
# databases = ["sqlite"]
# settings.doc = "`Worker(path, concurrency=2).start()`"
# settings.best = "the same, polled each 10 ms"
# ///
"""gigq: threads on SQLite, started from here and not by `gigq worker`: so each connection is at NORMAL."""

from __future__ import annotations

import sqlite3
import sys
from typing import Any

from gigq import JobQueue, Worker, db_utils, task

from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.peer import Peer
from benchmarks.peers.inside.place import SQLITE, best


class Normal:
    """Its only way to a connection; it knows no pragma but WAL."""

    def __getattr__(self, name: str) -> Any:
        return getattr(sqlite3, name)

    def connect(self, *arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = sqlite3.connect(*arguments, **options)
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection


db_utils.sqlite3 = Normal()


@task()
def job(number: int) -> None:
    no_op(number)


class Gigq(Peer):
    left = "SELECT count(*) FROM jobs WHERE status <> 'completed'"

    def set_up(self) -> None:
        self._queue = JobQueue(SQLITE)

    def enqueue(self, number: int) -> object:
        return job.submit(self._queue, number=number)

    def worker(self) -> list[str]:
        return [sys.executable, "-m", __name__]


PEER = Gigq()
if __name__ == "__main__":
    Worker(SQLITE, concurrency=2, **({"polling_interval": 0.01} if best() else {})).start()
