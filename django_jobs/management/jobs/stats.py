"""`manage.py jobs stats`: how many jobs there are of each status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django_jobs.management.jobs.answers import Answer, Subcommand, one_line, table
from django_jobs.models import Job
from django_jobs.states import Status


class Stats(Subcommand):
    """Count the jobs, overall and by queue."""

    help = "Counts the jobs of each status, overall and by queue."

    def answer(self, options: Mapping[str, Any]) -> Answer:
        """Return the counts."""
        stats = Job.objects.stats()
        named = [*stats["queues"].items(), ("all", stats["total"])]
        rows = [[one_line(name, width=40), *(counts[status] for status in Status)] for name, counts in named]
        return Answer(stats, table(["queue", *Status], rows))
