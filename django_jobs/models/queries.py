"""Ways to read jobs. Nothing here writes: only the engines change a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Value
from django.db.models.functions import Lower
from django.db.models.lookups import Contains

from django_jobs.exceptions import JobNotFound
from django_jobs.models.primary import PrimaryQuerySet
from django_jobs.states import PENDING, Status
from django_jobs.uuid7 import parse_id

if TYPE_CHECKING:
    from django_jobs.models.job import Job


def named(part: str) -> Contains:
    """Return the condition that a job function's name contains a text, in capitals or not.

    Not `icontains`: on MariaDB that is as exact as the column's collation.
    """
    return Contains(Lower("function"), Lower(Value(part)))


class JobQuerySet(PrimaryQuerySet["Job"]):
    """Jobs by state, and how many there are."""

    def find(self, job_id: object) -> Job:
        """Return the job of an id, a UUID or its text.

        Raises:
            JobNotFound: there is none, or this is no id.
        """
        try:
            return self.get(pk=parse_id(job_id))
        except self.model.DoesNotExist:
            raise JobNotFound(job_id) from None

    def waiting(self) -> JobQuerySet:
        """Return the jobs that something holds."""
        return self.filter(status=Status.WAITING)

    def scheduled(self) -> JobQuerySet:
        """Return the jobs that are due later."""
        return self.filter(status=Status.SCHEDULED)

    def ready(self) -> JobQuerySet:
        """Return the jobs that a worker may take."""
        return self.filter(status=Status.READY)

    def running(self) -> JobQuerySet:
        """Return the jobs that a worker holds."""
        return self.filter(status=Status.RUNNING)

    def pending(self) -> JobQuerySet:
        """Return the jobs that are waiting, scheduled or ready."""
        return self.filter(status__in=sorted(PENDING))

    def completed(self) -> JobQuerySet:
        """Return the jobs that ended well."""
        return self.filter(status=Status.COMPLETED)

    def cancelled(self) -> JobQuerySet:
        """Return the jobs that were cancelled."""
        return self.filter(status=Status.CANCELLED)

    def dead(self) -> JobQuerySet:
        """Return the dead letters, newest first."""
        # A final job's run_after is the moment it became final.
        return self.filter(status=Status.DEAD).order_by("-run_after", "-id")

    def held(self) -> dict[str, int]:
        """Return how many of these jobs each worker holds; none that holds none is named."""
        rows = self.running().order_by().values_list("worker_id").annotate(count=models.Count("*"))
        return dict(rows)

    def stats(self) -> dict[str, Any]:
        """Count jobs by status, overall and by queue, in one query.

        Returns:
            `{"total": {status: count}, "queues": {queue: {status: count}}}` with every status named,
            zero included; queues are sorted and appear when they have a job.
        """
        # In the order of the claim index, along which the rows are then counted as they come; the other way
        # round MariaDB writes them all to a temporary table and sorts them.
        rows = self.order_by().values_list("status", "queue").annotate(count=models.Count("*"))
        total = _zeros()
        queues: dict[str, dict[str, int]] = {}
        for status, queue, count in sorted(rows, key=lambda row: row[1]):
            queues.setdefault(queue, _zeros())[status] = count
            total[status] = total.get(status, 0) + count
        return {"total": total, "queues": queues}


def _zeros() -> dict[str, int]:
    return {status.value: 0 for status in Status}
