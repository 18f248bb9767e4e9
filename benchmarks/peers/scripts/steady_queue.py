# /// script
# dependencies = ["steady-queue==0.3.0", "psycopg[binary]==3.3.9"]
# [tool.peer]
# databases = ["sqlite", "postgresql"]
# settings.doc = "`manage.py steady_queue`"
# settings.best = "2 processes of 8 threads (SQLite: 1 of 3), polled each 10 ms"
# ///
"""steady-queue: Django's task API; threads in forked processes."""

from __future__ import annotations

from benchmarks.peers.inside import django_project
from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.place import best

django_project.set_up(
    "steady_queue",
    TASKS={"default": {"BACKEND": "steady_queue.backend.SteadyQueueBackend", "QUEUES": ["default"]}},
    settings="benchmarks.peers.scripts.settings.steady_queue" if best() else django_project.SETTINGS,
)

from django.tasks import task  # noqa: E402


@task()
def job(number: int) -> None:
    no_op(number)


class SteadyQueue(django_project.DjangoPeer):
    left = "SELECT count(*) FROM steady_queue_job WHERE finished_at IS NULL"

    def enqueue(self, number: int) -> object:
        return job.enqueue(number)

    def worker(self) -> list[str]:
        return django_project.manage("steady_queue")


PEER = SteadyQueue()
