"""The rows that the hot statements write, without the cost of a model field for each value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple
from uuid import UUID

from django_jobs.engines.rows import Ack, Held, NewJob, Released
from django_jobs.engines.settling import error_row, settle
from django_jobs.outcomes import ErrorReport
from django_jobs.states import AttemptOutcome, Status

Row = tuple[Any, ...]


class Acked(NamedTuple):
    """The rows that a batch of acks writes."""

    settled: list[Row]
    interrupted: list[Row]
    attempts: list[Row]
    errors: list[Row]


class Values:
    """Rows for the statements, where the driver takes ids and times as they are."""

    def id(self, job_id: UUID) -> Any:
        """Return an id as the driver takes it."""
        return job_id

    def time(self, moment: datetime | None) -> Any:
        """Return a moment as the driver takes it."""
        return moment

    def fence(self, held: Held) -> Row:
        """Return the end of every guarded row."""
        return self.id(held.id), held.token

    def new(self, job: NewJob) -> Row:
        """Return a job to insert."""
        # A driver may write an enum by its name.
        return self.id(job.id), *job[1:3], str(job.status), job.priority, self.time(job.run_after), *job[6:]

    def released(self, job: Released) -> Row:
        """Return where a released job goes."""
        status = Status.READY if job.run_after is None else Status.SCHEDULED
        return status.value, self.time(job.run_after), job.reason, *self.fence(job.held)

    def acked(self, acks: Sequence[Ack]) -> Acked:
        """Return the rows of all three tables, each value converted once: this is the hottest loop of all."""
        rows = Acked([], [], [], [])
        for ack in acks:
            outcome, round, number, worker_id, started_at, finished_at, _, _ = ack
            fence = (self.id(outcome.job_id), outcome.token)
            started, finished = self.time(started_at), self.time(finished_at)
            log = outcome.note.log if outcome.note else None
            rows.attempts.append(
                (*fence, round, number, outcome.outcome.value, worker_id, started, finished, log)
            )
            if outcome.outcome is AttemptOutcome.INTERRUPTED:
                rows.interrupted.append(fence)
            else:
                status, run_after, result_data, error = settle(ack)
                due = finished if run_after is finished_at else self.time(run_after)
                rows.settled.append((status.value, due, result_data, error, *fence))
            if outcome.error is not None:
                rows.errors.append(self._error(ack, outcome.error))
        return rows

    def _error(self, ack: Ack, report: ErrorReport) -> Row:
        row = error_row(ack, report)
        return self.id(row.job_id), *row[1:-2], self.time(row.failed_at), row.duration


class TextValues(Values):
    """Ids as hexadecimal digits and times as text in the connection's zone, as most databases take them."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._last: tuple[datetime | None, str | None] = (None, None)

    def id(self, job_id: UUID) -> str:
        """Return the digits."""
        return job_id.hex

    def time(self, moment: datetime | None) -> str | None:
        """Return a moment as the column holds it."""
        known, text = self._last  # the jobs of a bulk share one
        if moment is not known:
            text = self._text(moment) if moment else None
            self._last = moment, text
        return text

    def _text(self, moment: datetime) -> str:
        # To write "+00:00" and cut it off would take twice as long: a zone is asked for its offset.
        if moment.tzinfo is not UTC or self.zone is not UTC:
            moment = moment.astimezone(self.zone)
        return moment.replace(tzinfo=None).isoformat(" ")
