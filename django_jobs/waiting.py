"""One wait for one job: when to look again, and what it came to."""

from __future__ import annotations

import time
from typing import Any

from django.db import connections, router

from django_jobs.context import get_current_job
from django_jobs.engines import engine_for
from django_jobs.exceptions import (
    JobCancelled,
    JobFailed,
    JobNotFound,
    ResultExpired,
    ResultTimeout,
    WouldWaitForever,
)
from django_jobs.models import Job
from django_jobs.serializers import Owner, load_result
from django_jobs.states import FINAL, Status

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 1.0


class Wait:
    """A wait for a job's result, a look at a time, so that threads and event loops pause each their way.

    Args:
        job: what to wait for; brought up to date when the wait is over.
        timeout: seconds to wait at most; None waits for ever.
    """

    def __init__(self, job: Job, timeout: float | None) -> None:
        number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)
        if timeout is not None and not (number and timeout >= 0):
            raise ValueError(f"timeout must be seconds ≥ 0 or None, not {timeout!r}")
        self.job, self.timeout = job, timeout
        # Not where the handle was read: a replica may be behind, and no other verb asks it.
        self.alias = router.db_for_write(Job)
        self.began = time.monotonic()

    def look(self) -> float | None:
        """Look once; return the seconds to pause before the next look, None when the job is final.

        Raises:
            WouldWaitForever: it is not, and the caller itself keeps it from running.
            ResultTimeout: it is not, and the time is up.
            JobNotFound: it is gone.
        """
        status = self._status()
        if status in FINAL:
            # Read whole only now, and judged by that: it may have been requeued in between.
            self._read()
            status = self.job.status
        if status in FINAL:
            return None
        if reason := self._obstacle():
            raise WouldWaitForever(self.job.pk, reason)
        waited = time.monotonic() - self.began
        pause = min(max(FIRST_PAUSE, waited / 10), LONGEST_PAUSE)
        if self.timeout is None:
            return pause
        if waited >= self.timeout:
            raise ResultTimeout(self.job.pk, self.timeout, status)
        # Compared before it is subtracted: a timeout may be a whole number that no float can hold.
        return pause if waited + pause <= self.timeout else self.timeout - waited

    def value(self) -> Any:
        """Return the value of the final job, or raise why there is none; see `Job.result`."""
        if self.job.status == Status.DEAD:
            raise self._failure()
        if self.job.status == Status.CANCELLED:
            raise JobCancelled(self.job.pk)
        self._check_expiry()
        return load_result(self.job.result_data, Owner(self.job.pk, self.job.function))

    def _status(self) -> str:
        row = Job.objects.using(self.alias).filter(pk=self.job.pk).values_list("status").first()
        if row is None:
            raise JobNotFound(self.job.pk)
        return str(row[0])

    def _read(self) -> None:
        try:
            self.job.refresh_from_db(using=self.alias)
        except Job.DoesNotExist:
            raise JobNotFound(self.job.pk) from None

    def _obstacle(self) -> str | None:
        connection = connections[self.alias]
        if connection.in_atomic_block or not connection.get_autocommit():
            return "inside a transaction on the queue's database no worker sees what was enqueued in it"
        current = get_current_job()
        if current is None or current.database != self.alias:
            return None
        if current.id == self.job.pk:
            return "it is the job that is waiting"
        return "the waiting job has the only slot of its worker" if current.slots == 1 else None

    def _check_expiry(self) -> None:
        moment = self.job.result_expires_at
        # From that moment on, removed or not: what one is told must not hang on the turn of a duty.
        if moment is not None and moment <= engine_for(self.alias).read_clock():
            raise ResultExpired(self.job.pk, moment)

    def _failure(self) -> JobFailed:
        error = self.job.joberror_set.using(self.alias).order_by("id").last()
        if error is None:
            return JobFailed(self.job.pk, "JobError", self.job.error or "no error was stored")
        return JobFailed(self.job.pk, error.exception_type, error.message, error.traceback)
