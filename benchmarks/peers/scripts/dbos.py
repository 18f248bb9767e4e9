# /// script
# dependencies = ["dbos==3.4.0"]
# [tool.peer]
# databases = ["postgresql"]
# settings.doc = "a queue with worker_concurrency=2"
# settings.best = "polling_interval_sec=0.05, no limit of concurrency"
# ///
"""dbos: durable workflows; a program that has launched it is the worker."""

from __future__ import annotations

import sys
import threading

from dbos import DBOS, DBOSClient, DBOSConfig

from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.peer import Peer
from benchmarks.peers.inside.place import best, url

QUEUE = "bench"


@DBOS.workflow(name="job")
def job(number: int) -> None:
    no_op(number)


def launch() -> None:
    """Migrate, declare the queue, and begin to serve it."""
    config: DBOSConfig = {"name": "bench", "system_database_url": url(), "log_level": "WARNING"}
    DBOS(config=config)
    DBOS.launch()
    if best():
        DBOS.register_queue(QUEUE, polling_interval_sec=0.05)
    else:
        DBOS.register_queue(QUEUE, worker_concurrency=2)


class Dbos(Peer):
    left = "SELECT count(*) FROM dbos.workflow_status WHERE status <> 'SUCCESS'"

    def set_up(self) -> None:
        launch()
        DBOS.destroy()
        self._client = DBOSClient(system_database_url=url())

    def enqueue(self, number: int) -> object:
        return self._client.enqueue({"queue_name": QUEUE, "workflow_name": "job"}, number)

    def worker(self) -> list[str]:
        return [sys.executable, "-m", __name__]


PEER = Dbos()
if __name__ == "__main__":
    launch()
    threading.Event().wait()
