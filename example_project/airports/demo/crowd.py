"""The demo's chapter of eight jobs in the threads of one process, one of which hangs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.db import transaction

from django_jobs.models import Attempt, Job
from django_jobs.models.queries import JobQuerySet
from django_jobs.states import Status
from example_project.hanging.jobs import CROWD, sleep, work_beside

THREADS = 8
RUNWORKER = ("runworker", "--queues", CROWD, "--processes", "1", "--threads", str(THREADS))
# Longer than the limit of the one that hangs, and the second in which it is asked to end.
STEPS = 30


class Crowd(NamedTuple):
    """The job that hangs, and those beside it."""

    hung: JobQuerySet
    neighbours: JobQuerySet

    @property
    def all(self) -> JobQuerySet:
        """Return all eight."""
        return self.hung | self.neighbours


class Told(NamedTuple):
    """What became of the neighbours: how many there are, were interrupted, completed, lost an attempt."""

    total: int
    interrupted: int
    completed: int
    charged: int


@transaction.atomic
def enqueue_crowd() -> Crowd:
    """Enqueue the eight jobs; return them."""
    hung = sleep.using(queue=CROWD).enqueue()
    beside = work_beside.enqueue_many([(STEPS,)] * (THREADS - 1))
    return Crowd(
        Job.objects.filter(pk=hung.pk), Job.objects.filter(pk__in=[neighbour.pk for neighbour in beside])
    )


def tell(neighbours: JobQuerySet) -> Told:
    """Return what became of the neighbours, as their rows tell it."""
    interrupted = Attempt.objects.filter(job__in=neighbours, outcome="interrupted")
    return Told(
        neighbours.count(),
        interrupted.values("job").distinct().count(),
        neighbours.filter(status=Status.COMPLETED).count(),
        neighbours.filter(attempts__gt=1).count(),
    )


def surprises(neighbours: JobQuerySet) -> Iterator[str]:
    """Say of each neighbour that has not completed, or was charged for another's fault, what it is."""
    for job in neighbours.exclude(status=Status.COMPLETED, attempts=1):
        yield f"{job} is {job.status} after {job.attempts} attempts, not completed after 1"
