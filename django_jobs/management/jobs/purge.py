"""`manage.py jobs purge QUEUE`: remove a queue's jobs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.core.management.base import CommandError
from django.db import router

from django_jobs import queue_verbs
from django_jobs.management.jobs import names
from django_jobs.management.jobs.answers import Answer, Subcommand, one_line
from django_jobs.management.jobs.steps import in_steps
from django_jobs.models import Job
from django_jobs.states import Status

PURGED = [status for status in Status if status is not Status.RUNNING]


class Purge(Subcommand):
    """Remove a queue's jobs for good, except those that are running."""

    help = "Removes a queue's jobs for good, whatever their age. Running ones are left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the queue, what narrows it, and the answer to the question."""
        statuses = [status.value for status in PURGED]
        parser.add_argument("queue", type=names.queue, metavar="QUEUE", help="the queue's whole name")
        parser.add_argument(
            "--status",
            action="append",
            choices=statuses,
            metavar="STATUS",
            help=f"only these, may be given several times: {', '.join(statuses)}",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def answer(self, options: Mapping[str, Any]) -> Answer:
        """Ask, then remove the jobs."""
        queue, statuses = options["queue"], [Status(each) for each in options["status"] or PURGED]
        jobs = Job.objects.using(router.db_for_write(Job)).filter(queue=queue)
        doomed = {status: count for status, count in jobs.stats()["total"].items() if status in statuses}
        if any(doomed.values()) and not options["yes"]:
            _ask(_question(queue, doomed), may_ask=not options["as_json"])
        purged, running = _remove(queue, statuses), jobs.running().count()
        text = f"{purged} purged" + (f"; {running} running left alone" if running else "")
        return Answer({"queue": queue, "purged": purged, "running": running}, text)


def _remove(queue: str, statuses: Sequence[Status]) -> int:
    return in_steps(partial(queue_verbs.purge, queue, statuses=statuses))


def _question(queue: str, doomed: Mapping[str, int]) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in doomed.items() if count)
    return f"Remove from queue {one_line(queue)} for good: {counts}?"


def _ask(question: str, *, may_ask: bool) -> None:
    if not (may_ask and sys.stdin.isatty()):
        raise CommandError(f"{question} Nobody can be asked here: say --yes", returncode=2)
    if _answer(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was removed")


def _answer(question: str) -> str:
    try:
        return input(question)
    except EOFError:  # Ctrl-D
        return ""
