# /// script
# dependencies = ["procrastinate==3.10.0", "psycopg[binary]==3.3.9"]
# [tool.peer]
# databases = ["postgresql"]
# settings.doc = "`procrastinate worker --concurrency 2`"
# settings.best = "`--concurrency 20`"
# ///
"""procrastinate: stored functions and coroutines; finished jobs stay, as by default."""

from __future__ import annotations

from collections.abc import Sequence

from procrastinate import App, PsycopgConnector

from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.peer import AsyncPeer, program
from benchmarks.peers.inside.place import best, url

app = App(connector=PsycopgConnector(conninfo=url()))


@app.task(name="job")
async def job(number: int) -> None:
    no_op(number)


class Procrastinate(AsyncPeer):
    left = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
    has_bulk = True

    def set_up(self) -> None:
        self.wait(self._open())

    async def _open(self) -> None:
        await app.open_async()
        await app.schema_manager.apply_schema_async()

    async def enqueue_later(self, number: int) -> object:
        return await job.defer_async(number=number)

    def enqueue_many(self, numbers: Sequence[int]) -> None:
        self.wait(job.batch_defer_async(*({"number": number} for number in numbers)))

    def worker(self) -> list[str]:
        path = "benchmarks.peers.scripts.procrastinate.app"
        return [program("procrastinate"), "--app", path, "worker", "-c", "20" if best() else "2"]


PEER = Procrastinate()
