"""`manage.py jobs workers`: who works, at what, and who has not been seen for a while."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import router

from django_jobs.engines import engine_for
from django_jobs.management.jobs.answers import Answer, Subcommand, clock, iso, one_line, table
from django_jobs.models import Job, WorkerProcess

HEAD = ["worker", "is", "running", "slots", "host", "pid", "started", "last seen", "queues"]


class Workers(Subcommand):
    """List the workers, those first that were started first."""

    help = "Lists the workers: where each runs, what it serves, how many jobs it holds, whether it is alive."

    def answer(self, options: Mapping[str, Any]) -> Answer:
        """Return the workers there are."""
        alias = router.db_for_write(Job)
        workers = list(WorkerProcess.objects.using(alias).order_by("started_at", "id"))
        running = Job.objects.using(alias).held()
        # The rows' times are the database's, and this host's clock may be another.
        now = engine_for(alias).read_clock()
        data = [_worker(each, running.get(each.id, 0), now) for each in workers]
        rows = [_row(each, running.get(each.id, 0), now) for each in workers]
        return Answer(data, table(HEAD, rows) if rows else "no worker is running")


def _worker(worker: WorkerProcess, running: int, now: datetime) -> dict[str, Any]:
    return {
        "id": worker.id,
        "alive": worker.is_alive(now=now),
        "running": running,
        "slots": worker.slots,
        "host": worker.hostname,
        "pid": worker.pid,
        "queues": worker.queues,
        "version": worker.version,
        "started_at": iso(worker.started_at),
        "seen_at": iso(worker.seen_at),
    }


def _row(worker: WorkerProcess, running: int, now: datetime) -> list[object]:
    return [
        one_line(worker.id, width=100),
        "alive" if worker.is_alive(now=now) else f"not seen for {_unseen(worker, now)}",
        running,
        worker.slots,
        one_line(worker.hostname, width=40),
        worker.pid,
        clock(worker.started_at),
        clock(worker.seen_at),
        one_line(worker.queues),
    ]


def _unseen(worker: WorkerProcess, now: datetime) -> str:
    seconds = (now - worker.seen_at).total_seconds()
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"
