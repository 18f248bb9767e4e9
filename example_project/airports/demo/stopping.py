"""The demo's second chapter: jobs that hang are ended, by their limit or from a second terminal."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from django_jobs import client
from django_jobs.models import Job
from django_jobs.models.queries import JobQuerySet
from django_jobs.states import FINAL, Status
from example_project.airports.demo.crew import MANAGE
from example_project.hanging import jobs

KINDS = (jobs.sleep, jobs.spin, jobs.count_in_c, jobs.wait_for_a_deaf_program, jobs.await_long)
CODE = {each.name: each.options.description for each in (*KINDS, jobs.wait_ten_minutes)}


class Ending(NamedTuple):
    """How a job that hung has ended: what hung, how long its last attempt ran, and what its rows say."""

    code: str
    seconds: float | None
    outcome: str
    status: str


def end_leftovers() -> None:
    """End what a demo that was cut short in this chapter has left behind."""
    left = Job.objects.filter(queue__in=(jobs.QUEUE, jobs.CROWD)).exclude(status__in=FINAL)
    client.cancel(list(left.values_list("pk", flat=True)), force=True)


@transaction.atomic
def enqueue_kinds() -> JobQuerySet:
    """Enqueue a job of each kind; return them."""
    return _these(kind.enqueue() for kind in KINDS)


def enqueue_long() -> JobQuerySet:
    """Enqueue the job that a person is going to cancel; return it."""
    return _these([jobs.wait_ten_minutes.enqueue()])


def _these(enqueued: Iterable[Job]) -> JobQuerySet:
    return Job.objects.filter(pk__in=[job.pk for job in enqueued])


def cancelling(job_id: UUID) -> list[str]:
    """Return what one types behind `manage.py` to cancel a job whatever it is doing."""
    return ["jobs", "cancel", "--force", str(job_id)]


def second_terminal(words: list[str]) -> str:
    """Run a command as somebody else on this machine would; return what it says."""
    ended = subprocess.run(
        [*MANAGE, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return ended.stdout.strip()


def endings(hung: JobQuerySet) -> list[Ending]:
    """Return how these jobs have ended, in the order they were enqueued, as their rows tell it."""
    return [_ending(job) for job in hung.order_by("pk")]


def _ending(job: Job) -> Ending:
    last = job.attempt_set.order_by("pk").last()
    if last is None:
        return Ending(CODE[job.function], None, "none", job.status)
    return Ending(CODE[job.function], last.duration, last.outcome, job.status)


def surprises(hung: JobQuerySet, *, expected: Status) -> Iterator[str]:
    """Say of each of these jobs that has not ended as expected what it is instead."""
    for job in hung.exclude(status=expected):
        yield f"{job} is {job.status}, not {expected}"
