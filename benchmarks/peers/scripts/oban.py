# /// script
# dependencies = ["oban==0.7.0"]
# [tool.peer]
# databases = ["postgresql"]
# settings.doc = "`oban start --queues default:2`"
# settings.best = "`oban start --queues default:100`"
# ///
"""oban: coroutines, one claim for all free places."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from oban import Oban
from oban import job as oban_job

from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.peer import AsyncPeer, program
from benchmarks.peers.inside.place import best, url


@oban_job()
async def job(number: int) -> None:
    no_op(number)


class ObanPeer(AsyncPeer):
    left = "SELECT count(*) FROM oban_jobs WHERE state <> 'completed'"
    has_bulk = True

    def set_up(self) -> None:
        command = [program("oban"), "install", "--dsn", url()]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        self.wait(self._open())

    async def _open(self) -> None:
        self._oban = Oban(pool=await Oban.create_pool(url()))
        await self._oban.start()

    async def enqueue_later(self, number: int) -> object:
        # Its job.enqueue() wraps the arguments twice.
        return await self._oban.enqueue(job.new(number))

    def enqueue_many(self, numbers: Sequence[int]) -> None:
        self.wait(self._oban.enqueue_many(job.new(number) for number in numbers))

    def worker(self) -> list[str]:
        queues = f"default:{100 if best() else 2}"
        return [program("oban"), "start", "--dsn", url(), "--queues", queues]


PEER = ObanPeer()
