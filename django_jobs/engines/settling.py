"""What an outcome makes of its job: decided once, here, for every engine."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Case, F, When

from django_jobs.engines.rows import Ack
from django_jobs.models.sound import LARGEST
from django_jobs.outcomes import ErrorReport
from django_jobs.states import AttemptOutcome, CancelRequest, Status

# What a claim wrote, taken back by every verb that ends it.
UNCLAIMED: dict[str, Any] = {
    "worker_id": "",
    "started_at": None,
    "claim_token": None,
    "lease": None,
    "cancel_requested": CancelRequest.NONE,
}


def one_more(column: str) -> Case:
    """Return one more than a column holds, as far as that goes."""
    return Case(When(**{f"{column}__lt": LARGEST}, then=F(column) + 1), default=LARGEST)


class Settlement(NamedTuple):
    """Where a charged run leads its job."""

    status: Status
    run_after: datetime
    result_data: str | None
    error: str | None


def settle(ack: Ack) -> Settlement:
    """Return where a charged run leads its job; an interrupted one goes back in place unchanged."""
    outcome = ack.outcome
    error = outcome.error.summary if outcome.error else None
    status, run_after = _next(ack)
    return Settlement(status, run_after, outcome.result_data, error)


def if_asked(values: dict[str, Any], *, moment: datetime) -> dict[str, Any]:
    """Return what a claim's end writes where somebody had asked for the job to be cancelled.

    It must not run again, and a failure that nobody waits for is no dead letter. Only what completed in spite
    of it stays so.
    """
    if values["status"] is Status.COMPLETED:
        return values
    return {**values, "status": Status.CANCELLED, "run_after": moment, "reason": ""}


def _next(ack: Ack) -> tuple[Status, datetime]:
    outcome, moment = ack.outcome, ack.finished_at
    if outcome.outcome is AttemptOutcome.COMPLETED:
        return Status.COMPLETED, moment
    if outcome.outcome is AttemptOutcome.CANCELLED:
        return Status.CANCELLED, moment
    if outcome.retry_in is None:
        return Status.DEAD, moment
    if outcome.retry_in <= 0:
        return Status.READY, moment
    return Status.SCHEDULED, moment + timedelta(seconds=outcome.retry_in)


def expires_at(ack: Ack) -> datetime | None:
    """Return when the result that an ack writes is to be removed; None where it stays with the job."""
    if ack.result_ttl is None or ack.outcome.outcome is not AttemptOutcome.COMPLETED:
        return None
    return ack.finished_at + timedelta(seconds=ack.result_ttl)


class AttemptRow(NamedTuple):
    """The columns of an Attempt, in the order of the INSERT."""

    job_id: Any
    token: int
    round: int
    number: int
    outcome: str
    worker_id: str
    started_at: datetime | None
    finished_at: datetime
    log: str | None


def attempt_row(ack: Ack) -> AttemptRow:
    """Return the Attempt that an ack writes."""
    return AttemptRow(
        *ack.held,
        ack.round,
        ack.number,
        ack.outcome.outcome.value,
        ack.worker_id,
        ack.started_at,
        ack.finished_at,
        ack.log,
    )


class ErrorRow(NamedTuple):
    """The columns of a JobError, in the order of the INSERT."""

    job_id: Any
    token: int
    round: int
    number: int
    kind: str
    exception_type: str
    message: str
    traceback: str
    fingerprint: str
    worker_id: str
    failed_at: datetime
    duration: float | None


def error_row(ack: Ack, error: ErrorReport) -> ErrorRow:
    """Return the JobError that an ack with an error writes."""
    duration = (ack.finished_at - ack.started_at).total_seconds() if ack.started_at else None
    return ErrorRow(
        *ack.held,
        ack.round,
        ack.number,
        error.kind.value,
        error.exception_type[:255],
        error.message,
        error.traceback,
        error.fingerprint,
        ack.worker_id,
        ack.finished_at,
        duration,
    )
