"""Values as Django's SQLite backend stores them, without the cost of a model field."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from django_jobs.engines.rows import Ack, ClaimedJob, Held, NewJob, Released
from django_jobs.engines.settling import attempt_row, error_row, settle
from django_jobs.outcomes import ErrorReport
from django_jobs.states import Status

Row = tuple[Any, ...]


class Values:
    """Rows for the statements; ids as hexadecimal digits, times as text in the connection's zone."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone

    def time(self, moment: datetime | None) -> str | None:
        """Return a moment as the column holds it."""
        return None if moment is None else str(moment.astimezone(self.zone).replace(tzinfo=None))

    def fence(self, held: Held) -> Row:
        """Return the end of every guarded statement."""
        return held.id.hex, held.token

    def new(self, job: NewJob) -> Row:
        """Return a job to insert."""
        return (job.id.hex, *job[1:3], job.status.value, job.priority, self.time(job.run_after), *job[6:])

    def claimed(self, row: Row, token: int) -> ClaimedJob:
        """Read a claimed job."""
        # RETURNING has the column's declared type, so Django's converter has read it already.
        due = row[4].replace(tzinfo=self.zone)
        return ClaimedJob(UUID(row[0]), row[1], row[2], row[3], due, *row[5:], token)

    def released(self, job: Released) -> Row:
        """Return where a released job goes."""
        status = Status.READY if job.run_after is None else Status.SCHEDULED
        return status.value, self.time(job.run_after), job.reason, *self.fence(job.held)

    def settled(self, ack: Ack) -> Row:
        """Return where a charged run leads its job."""
        status, run_after, *rest = settle(ack)
        return status.value, self.time(run_after), *rest, *self.fence(ack.held)

    def attempt(self, ack: Ack) -> Row:
        """Return the attempt to insert."""
        row = attempt_row(ack)
        return row.job_id.hex, *row[1:-2], self.time(row.started_at), self.time(row.finished_at)

    def error(self, ack: Ack, report: ErrorReport) -> Row:
        """Return the error to insert."""
        row = error_row(ack, report)
        return row.job_id.hex, *row[1:-2], self.time(row.failed_at), row.duration
