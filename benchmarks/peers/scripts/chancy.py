# /// script
# dependencies = ["chancy[cli]==0.26.0", "psycopg[binary]==3.3.9"]
# [tool.peer]
# databases = ["postgresql"]
# settings.doc = "`chancy worker start`, a queue of concurrency 2, in processes"
# settings.best = "concurrency 100, coroutines (AsyncExecutor), eager_polling"
# ///
"""chancy: claims by coroutines, runs in processes as by default or on its loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chancy import Chancy, Queue
from chancy import job as chancy_job

from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.peer import AsyncPeer, program
from benchmarks.peers.inside.place import best, url

FAST: dict[str, Any] = {"concurrency": 100, "executor": Chancy.Executor.Async, "eager_polling": True}
chancy = Chancy(url())


@chancy_job()
def plain(*, number: int) -> None:
    no_op(number)


@chancy_job()
async def coroutine(*, number: int) -> None:
    no_op(number)


class ChancyPeer(AsyncPeer):
    left = "SELECT count(*) FROM chancy_jobs WHERE state <> 'succeeded'"
    has_bulk = True
    job = (coroutine if best() else plain).job

    def set_up(self) -> None:
        self.wait(self._open())

    async def _open(self) -> None:
        await chancy.__aenter__()
        await chancy.migrate()
        await chancy.declare(Queue("default", **(FAST if best() else {"concurrency": 2})))

    async def enqueue_later(self, number: int) -> object:
        return await chancy.push(self.job.with_kwargs(number=number))

    def enqueue_many(self, numbers: Sequence[int]) -> None:
        self.wait(self._push([self.job.with_kwargs(number=number) for number in numbers]))

    async def _push(self, jobs: list[Any]) -> None:
        async for _ in chancy.push_many(jobs):
            pass

    def worker(self) -> list[str]:
        return [program("chancy"), "--app", "benchmarks.peers.scripts.chancy.chancy", "worker", "start"]


PEER = ChancyPeer()
