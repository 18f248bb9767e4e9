# /// script
# dependencies = ["django-tasks-db==0.13.0", "psycopg[binary]==3.3.9"]
# [tool.peer]
# databases = ["sqlite", "postgresql"]
# settings.doc = "2 × `manage.py db_worker`"
# settings.best = "2 × `manage.py db_worker --interval 0.05 --no-startup-delay`"
# ///
"""django-tasks-db: Django's task API; a worker runs one job at a time, so two are started."""

from __future__ import annotations

from benchmarks.peers.inside import django_project
from benchmarks.peers.inside.no_op import no_op
from benchmarks.peers.inside.place import best

django_project.set_up(
    "django_tasks_db",
    TASKS={"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}},
)

from django.tasks import task  # noqa: E402


@task
def job(number: int) -> None:
    no_op(number)


class DjangoTasksDb(django_project.DjangoPeer):
    left = "SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status <> 'SUCCESSFUL'"
    copies = 2

    def enqueue(self, number: int) -> object:
        return job.enqueue(number)

    def worker(self) -> list[str]:
        fast = ["--interval", "0.05", "--no-startup-delay"] if best() else []
        return django_project.manage("db_worker", *fast)


PEER = DjangoTasksDb()
