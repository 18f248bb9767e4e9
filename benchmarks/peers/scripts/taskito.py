# /// script
# dependencies = ["taskito==0.22.0"]
# [tool.peer]
# databases = ["sqlite"]
# settings.doc = "`taskito worker`, 2 threads"
# settings.best = "the same, polled each 1 ms, 100 jobs a batch, push_dispatch"
# ///
"""taskito: a core in Rust; it sets WAL and synchronous=NORMAL itself."""

from __future__ import annotations

from collections.abc import Sequence

from taskito import Queue

from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.peer import Peer, program
from benchmarks.peers.inside.place import SQLITE, best

FAST = {"scheduler_poll_interval_ms": 1, "scheduler_batch_size": 100, "push_dispatch": True}
queue = Queue(db_path=SQLITE, workers=2, **(FAST if best() else {}))


@queue.task()
def job(number: int) -> None:
    no_op(number)


class Taskito(Peer):
    left = "SELECT count(*) FROM jobs WHERE status NOT IN (2)"
    has_bulk = True

    def set_up(self) -> None:
        """The first use of the queue makes its tables."""

    def enqueue(self, number: int) -> object:
        return job.delay(number)

    def enqueue_many(self, numbers: Sequence[int]) -> None:
        queue.enqueue_many(job.name, [(number,) for number in numbers])

    def worker(self) -> list[str]:
        return [program("taskito"), "worker", "--app", "benchmarks.peers.scripts.taskito:queue"]


PEER = Taskito()
