"""What came of a run's jobs: progress, the summary by function, and anything unexpected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import Count, Q, Sum

from django_jobs.models import Attempt
from django_jobs.models.queries import JobQuerySet
from django_jobs.states import FINAL, Status
from example_project.airports.demo.plan import FUNCTIONS, jobs_of
from example_project.airports.models import Airport, DemoRun, Import


class Progress(NamedTuple):
    """How far jobs have come; begun is how many are known to run, which is after their first second."""

    final: int
    total: int
    running: int
    begun: int

    @property
    def finished(self) -> bool:
        """Whether every job is final."""
        return self.final == self.total


class Line(NamedTuple):
    """One line of the summary; seconds is the run time of all attempts together."""

    function: str
    done: int
    retried: int
    dead: int
    seconds: float


def progress(jobs: JobQuerySet) -> Progress:
    """Return how far these jobs have come."""
    statuses = {
        "final": Count("pk", filter=Q(status__in=FINAL)),
        "running": Count("pk", filter=Q(status=Status.RUNNING)),
        "begun": Count("pk", filter=Q(status=Status.RUNNING, started_at__isnull=False)),
    }
    return Progress(**jobs.aggregate(total=Count("pk"), **statuses))


def summary(run: DemoRun) -> list[Line]:
    """Return a line for each function, in the order of FUNCTIONS."""
    seconds = _seconds(run)
    counts = {
        name: (done, retried, dead)
        for name, done, retried, dead in jobs_of(run)
        .values_list("function")
        .annotate(
            done=Count("pk", filter=Q(status=Status.COMPLETED)),
            retried=Count("pk", filter=Q(attempts__gt=1)),
            dead=Count("pk", filter=Q(status=Status.DEAD)),
        )
    }
    return [
        Line(each.name.rpartition(".")[2], *counts.get(each.name, (0, 0, 0)), seconds[each.name])
        for each in FUNCTIONS
    ]


def _seconds(run: DemoRun) -> defaultdict[str, float]:
    total: defaultdict[str, float] = defaultdict(float)
    attempts = Attempt.objects.filter(job__in=jobs_of(run)).select_related("job")
    for attempt in attempts.only("started_at", "finished_at", "job__function"):
        total[attempt.job.function] += attempt.duration or 0
    return total


def surprises(run: DemoRun) -> list[str]:
    """Return what should not have happened, a sentence each; an empty list when all is well."""
    return [*_surprising_jobs(run), *_surprising_rows(run)]


def _surprising_jobs(run: DemoRun) -> Iterator[str]:
    for job in jobs_of(run):
        expected = Status.DEAD if str(job.id) in run.doomed else Status.COMPLETED
        if job.status != expected:
            yield f"{job} is {job.status}, not {expected}" + (f": {job.error}" if job.error else "")


def _surprising_rows(run: DemoRun) -> Iterator[str]:
    imports = jobs_of(run).filter(function=FUNCTIONS[0].name, status=Status.COMPLETED).count()
    if (batches := Import.objects.count()) != imports:
        yield f"{batches} batches are in the guide, {imports} jobs imported one"
    reported = Import.objects.aggregate(total=Sum("imported", default=0))["total"]
    if (airports := Airport.objects.count()) != reported:
        yield f"{airports} airports are in the guide, {reported} were reported"
