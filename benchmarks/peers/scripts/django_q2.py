# /// script
# dependencies = ["django-q2==1.11.1", "psycopg[binary]==3.3.9"]
# [tool.peer]
# databases = ["sqlite", "postgresql"]
# settings.doc = "`manage.py qcluster`, 2 workers, the ORM as broker"
# settings.best = "the same, poll 0.02, bulk 50, queue_limit 500, save_limit 0"
# ///
"""django-q2 with the ORM as its broker; a job stays in the queue's table until its result is stored."""

from __future__ import annotations

from benchmarks.peers.inside import django_project
from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.place import best

FAST = {"poll": 0.02, "bulk": 50, "queue_limit": 500, "save_limit": 0}
django_project.set_up(
    "django_q",
    Q_CLUSTER={
        "name": "bench",
        "workers": 2,
        "timeout": 90,
        "retry": 120,
        "orm": "default",
        **(FAST if best() else {}),
    },
)


def job(number: int) -> None:
    no_op(number)


class DjangoQ2(django_project.DjangoPeer):
    left = "SELECT count(*) FROM django_q_ormq"

    def enqueue(self, number: int) -> object:
        from django_q.tasks import async_task

        return async_task(job, number)

    def worker(self) -> list[str]:
        return django_project.manage("qcluster")


PEER = DjangoQ2()
