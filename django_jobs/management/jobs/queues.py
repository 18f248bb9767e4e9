"""`manage.py jobs queues`: each queue with its jobs, and whether it is paused; pauses and resumes."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import router

from django_jobs import queue_verbs
from django_jobs.management.jobs import names
from django_jobs.management.jobs.answers import Answer, Subcommand, clock, iso, one_line, table
from django_jobs.models import Job, Queue
from django_jobs.states import Status

HEAD = ["queue", *Status, "paused since"]


class Queues(Subcommand):
    """Show the queues; pause or resume some of them first."""

    help = "Shows each queue with its jobs by status; pauses or resumes some of them first if asked to."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what may be done before the queues are shown."""
        change = parser.add_mutually_exclusive_group()
        for verb, effect in {"pause": "no job of it begins any more", "resume": "end its pause"}.items():
            change.add_argument(
                f"--{verb}", type=names.queue, nargs="+", action="extend", metavar="QUEUE", help=effect
            )

    def answer(self, options: Mapping[str, Any]) -> Answer:
        """Return the queues as they are after what was asked for."""
        for name in options["pause"] or ():
            queue_verbs.pause(name)
        for name in options["resume"] or ():
            queue_verbs.resume(name)
        return _shown()


def _shown() -> Answer:
    alias = router.db_for_write(Job)
    jobs: dict[str, dict[str, int]] = Job.objects.using(alias).stats()["queues"]
    paused = dict(Queue.objects.using(alias).values_list("name", "paused_at"))
    data = [_queue(name, jobs.get(name, {}), paused.get(name)) for name in sorted({*jobs, *paused})]
    rows = [_row(name, jobs.get(name, {}), paused.get(name)) for name in sorted({*jobs, *paused})]
    return Answer(data, table(HEAD, rows) if rows else "no queue has a job or is paused")


def _queue(name: str, jobs: Mapping[str, int], paused: datetime | None) -> dict[str, Any]:
    counts = {status.value: jobs.get(status, 0) for status in Status}
    return {"queue": name, "paused_since": iso(paused), "jobs": counts}


def _row(name: str, jobs: Mapping[str, int], paused: datetime | None) -> list[object]:
    return [one_line(name, width=40), *(jobs.get(status, 0) for status in Status), clock(paused)]
