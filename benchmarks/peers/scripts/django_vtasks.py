# /// script
# dependencies = ["django-vtasks==3.2.0", "psycopg[binary]==3.3.9", "pyzstd==0.20.0"]
# [tool.peer]
# databases = ["postgresql"]
# settings.doc = "`manage.py runworker`"
# settings.best = "`manage.py runworker --concurrency 100`"
# ///
"""django-vtasks on its database backend, which needs pyzstd as well; a worker of coroutines."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.peers.inside import django_project
from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.place import best

django_project.set_up(
    "django_vtasks",
    "django_vtasks.db",
    TASKS={"default": {"BACKEND": "django_vtasks.backends.db.DatabaseTaskBackend"}},
)

from django_vtasks import task  # noqa: E402


@task
async def job(number: int) -> None:
    no_op(number)


class DjangoVtasks(django_project.DjangoPeer):
    left = "SELECT count(*) FROM db_queuedtask"
    has_bulk = True

    def enqueue(self, number: int) -> object:
        return job.enqueue(number)

    def enqueue_many(self, numbers: Sequence[int]) -> None:
        job.get_backend().enqueue_many([(job, (number,), {}) for number in numbers])

    def worker(self) -> list[str]:
        return django_project.manage("runworker", *(["--concurrency", "100"] if best() else []))


PEER = DjangoVtasks()
