# /// script
# dependencies = []
# [tool.peer]
# databases = ["sqlite", "postgresql"]
# settings.doc = "`runworker`, which has 2 runners"
# settings.best = "`runworker --processes 1 --threads 50`, the job is a coroutine"
# ///
"""Ours, from this checkout, by the same protocol and the same clock as everyone else."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.peers.inside import django_project
from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.place import best

django_project.set_up("django_jobs", DJANGO_JOBS={"IMPORTS": [__name__]})

from django_jobs import job  # noqa: E402


@job
def plain(number: int) -> None:
    no_op(number)


@job
async def coroutine(number: int) -> None:
    no_op(number)


class Ours(django_project.DjangoPeer):
    left = "SELECT count(*) FROM django_jobs_job WHERE status IN ('ready', 'running')"
    has_bulk = True
    job = coroutine if best() else plain

    def enqueue(self, number: int) -> object:
        return self.job.enqueue(number)

    def enqueue_many(self, numbers: Sequence[int]) -> None:
        self.job.enqueue_many([(number,) for number in numbers])

    def worker(self) -> list[str]:
        fast = ["--processes", "1", "--threads", "50"] if best() else []
        return django_project.manage("runworker", "--verbosity", "0", *fast)


PEER = Ours()
