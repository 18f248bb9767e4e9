"""`manage.py jobs stats`: how many jobs there are of each status, and how the last hour's runs went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django_jobs.histograms import Histogram
from django_jobs.management.jobs.answers import Answer, Subcommand, one_line, table
from django_jobs.models import Counter, Job
from django_jobs.models.summaries import Summary
from django_jobs.states import AttemptOutcome, Status

PERCENTS = (50, 95)
TIMES = [f"{kind} p{percent}" for kind in ("queue", "run") for percent in PERCENTS]


class Stats(Subcommand):
    """Count the jobs, overall and by queue, and the runs of the last hour by function."""

    help = "Counts the jobs of each status, overall and by queue, and the last hour's runs by function."

    def answer(self, options: Mapping[str, Any]) -> Answer:
        """Return the counts."""
        stats = Job.objects.stats()
        functions = Counter.objects.last_hour().summary_by("function")
        total = Summary()
        for summary in functions.values():
            total.merge(summary)
        hour = {
            "total": _data(total),
            "functions": {name: _data(summary) for name, summary in functions.items()},
        }
        return Answer({**stats, "last_hour": hour}, f"{_jobs(stats)}\n\n{_runs(functions, total)}")


def _jobs(stats: Mapping[str, Any]) -> str:
    named = [*stats["queues"].items(), ("all", stats["total"])]
    rows = [[one_line(name, width=40), *(counts[status] for status in Status)] for name, counts in named]
    return table(["queue", *Status], rows)


def _runs(functions: Mapping[str, Summary], total: Summary) -> str:
    if not functions:
        return "no run has ended in the last hour"
    named = [*functions.items(), ("all", total)]
    rows = [[one_line(name, width=60), *_cells(summary)] for name, summary in named]
    return table(["last hour", *AttemptOutcome, *TIMES], rows)


def _cells(summary: Summary) -> list[object]:
    times = [each.percentile(percent) for each in (summary.queue, summary.run) for percent in PERCENTS]
    return [*(summary.outcomes[outcome] for outcome in AttemptOutcome), *map(_seconds, times)]


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.3g} s"


def _data(summary: Summary) -> dict[str, Any]:
    return {
        "runs": summary.runs,
        "outcomes": summary.outcomes,
        "queue_seconds": _times(summary.queue),
        "run_seconds": _times(summary.run),
    }


def _times(histogram: Histogram) -> dict[str, float | None]:
    percentiles = {f"p{percent}": histogram.percentile(percent) for percent in PERCENTS}
    return {"mean": histogram.mean, **percentiles}
