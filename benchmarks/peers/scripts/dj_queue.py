# /// script
# dependencies = ["dj-queue==0.14.2", "psycopg[binary]==3.3.9"]
# [tool.peer]
# databases = ["sqlite", "postgresql"]
# settings.doc = "`manage.py dj_queue`"
# settings.best = "2 processes of 8 threads (SQLite: 1 of 2), polled each 10 ms, prefetch_multiplier 20"
# ///
"""dj-queue: Django's task API; threads in forked processes, LISTEN on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.peers.inside import django_project
from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.place import DATABASE, best

# More of them only wait for each other where there is one writer.
SIZE = {"threads": 2, "processes": 1} if DATABASE == "sqlite" else {"threads": 8, "processes": 2}
FAST = {"queues": "*", **SIZE, "polling_interval": 0.01, "prefetch_multiplier": 20}
OPTIONS = {"workers": [FAST]} if best() else {}
django_project.set_up(
    "dj_queue",
    DATABASE_ROUTERS=["dj_queue.routers.DjQueueRouter"],
    TASKS={"default": {"BACKEND": "dj_queue.backend.DjQueueBackend", "QUEUES": [], "OPTIONS": OPTIONS}},
)

from django.tasks import task  # noqa: E402


@task
def job(number: int) -> None:
    no_op(number)


class DjQueue(django_project.DjangoPeer):
    left = "SELECT count(*) FROM dj_queue_jobs WHERE finished_at IS NULL"
    has_bulk = True

    def enqueue(self, number: int) -> object:
        return job.enqueue(number)

    def enqueue_many(self, numbers: Sequence[int]) -> None:
        job.get_backend().enqueue_all([(job, [number], {}) for number in numbers])

    def worker(self) -> list[str]:
        return django_project.manage("dj_queue")


PEER = DjQueue()
