# /// script
# dependencies = ["huey==3.5.4"]
# [tool.peer]
# databases = ["sqlite"]
# settings.doc = "`huey_consumer -w 2`"
# settings.best = "the same with `-k process -d 0.01 -m 0.05`"
# ///
"""huey on SQLite; it takes a job out of the table before it runs, so `left` counts those not begun."""

from __future__ import annotations

import sqlite3

from huey import SqliteHuey
from huey.storage import SqliteStorage

from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.peer import Peer, program
from benchmarks.peers.inside.place import SQLITE, best


class Normal(SqliteStorage):
    """It knows FULL and OFF only, everyone else is measured with NORMAL."""

    def _create_connection(self) -> sqlite3.Connection:
        connection = super()._create_connection()
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection


huey = SqliteHuey(filename=SQLITE, storage_class=Normal)


@huey.task()
def job(number: int) -> None:
    no_op(number)


class Huey(Peer):
    left = "SELECT count(*) FROM task"

    def set_up(self) -> None:
        """The first use of the queue makes its tables."""

    def enqueue(self, number: int) -> object:
        return job(number)

    def worker(self) -> list[str]:
        fast = ["-k", "process", "-d", "0.01", "-m", "0.05"] if best() else []
        return [program("huey_consumer"), "benchmarks.peers.scripts.huey.huey", "-w", "2", *fast]


PEER = Huey()
