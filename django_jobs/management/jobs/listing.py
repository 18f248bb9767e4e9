"""`manage.py jobs list`: the newest jobs, a line each."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from django_jobs.management.jobs import names
from django_jobs.management.jobs.answers import Answer, Subcommand, clock, iso, one_line, table
from django_jobs.models import Job
from django_jobs.models.queries import named
from django_jobs.states import Status

HEAD = ["id", "status", "function", "queue", "attempts", "created", "error or reason"]
UNREAD = ("args", "options", "result_data")


class List(Subcommand):
    """List jobs, newest first; of one status, those first that came into it last."""

    help = "Lists jobs, newest first. Exits with 0 also when there is none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the filters."""
        # As plain words: argparse shows a person the repr of each when it refuses another.
        statuses = [str(each) for each in Status]
        parser.add_argument(
            "--status", choices=statuses, metavar="STATUS", help=f"one of {', '.join(statuses)}"
        )
        parser.add_argument("--queue", type=names.queue, help="the queue's whole name")
        parser.add_argument(
            "--function", type=names.part_of_function, help="a part of the job function's name"
        )
        parser.add_argument("--limit", type=_count, default=20, help="how many at most (default: 20)")

    def answer(self, options: Mapping[str, Any]) -> Answer:
        """Return the jobs that match."""
        jobs = list(_matching(options)[: options["limit"]])
        text = table(HEAD, [_row(job) for job in jobs]) if jobs else "no job matches"
        return Answer([brief(job) for job in jobs], text)


def brief(job: Job) -> dict[str, Any]:
    """Return what a list tells about a job, as JSON types."""
    return {
        "id": str(job.pk),
        "status": job.status,
        "function": job.function,
        "queue": job.queue,
        "priority": job.priority,
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "round": job.round,
        "created_at": iso(job.created_at),
        "run_after": iso(job.run_after),
        "finished_at": iso(job.finished_at),
        "error": job.error,
        "reason": job.reason,
    }


def _matching(options: Mapping[str, Any]) -> QuerySet[Job]:
    asked = {"status": options["status"], "queue": options["queue"]}
    order = ["-run_after", "-id"] if options["status"] else ["-id"]
    jobs = Job.objects.defer(*UNREAD).order_by(*order)
    jobs = jobs.filter(**{name: value for name, value in asked.items() if value is not None})
    return jobs if options["function"] is None else jobs.filter(named(options["function"]))


def _row(job: Job) -> list[str]:
    return [
        str(job.pk),
        job.status,
        one_line(job.function),
        one_line(job.queue, width=40),
        f"{job.attempts}/{job.max_attempts}",
        clock(job.created_at),
        one_line(job.error or job.reason, width=60),
    ]


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise ArgumentTypeError(f"must be a whole number from 1 to 100000, not {text!r}")
    return int(text)
