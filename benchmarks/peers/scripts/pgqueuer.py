# /// script
# dependencies = ["pgqueuer[asyncpg]==1.6.0", "psycopg[binary]==3.3.9", "typer==0.26.8"]
# [tool.peer]
# databases = ["postgresql"]
# settings.doc = "`pgq run`"
# settings.best = "`pgq run --batch-size 500`"
# ///
"""pgqueuer: coroutines in the loop of one process, uvloop and asyncpg. `pgq run` fails with typer 0.29."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.peer import AsyncPeer, program
from benchmarks.peers.inside.place import best

NAME = "job"


@asynccontextmanager
async def consumer() -> AsyncIterator[PgQueuer]:
    connection = await asyncpg.connect()
    pgq = PgQueuer(AsyncpgDriver(connection))

    @pgq.entrypoint(NAME)
    async def process(job: Job) -> None:
        no_op(int(job.payload or b"1"))

    yield pgq
    await connection.close()


class Pgqueuer(AsyncPeer):
    left = "SELECT count(*) FROM pgqueuer"
    has_bulk = True

    def set_up(self) -> None:
        subprocess.run([program("pgq"), "install"], check=True, stdout=subprocess.DEVNULL)
        self.wait(self._connect())

    async def _connect(self) -> None:
        self._queries = Queries(AsyncpgDriver(await asyncpg.connect()))

    async def enqueue_later(self, number: int) -> object:
        return await self._queries.enqueue(NAME, b"%d" % number)

    def enqueue_many(self, numbers: Sequence[int]) -> None:
        payloads: list[bytes | None] = [b"%d" % number for number in numbers]
        self.wait(self._queries.enqueue([NAME] * len(payloads), payloads, [0] * len(payloads)))

    def worker(self) -> list[str]:
        fast = ["--batch-size", "500"] if best() else []
        return [program("pgq"), "run", "benchmarks.peers.scripts.pgqueuer:consumer", *fast]


PEER = Pgqueuer()
