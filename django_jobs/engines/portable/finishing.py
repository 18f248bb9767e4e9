"""End a claim: release, ack; and requeue, which begins again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django_jobs import retries
from django_jobs.engines.portable import answering, expiring, noting
from django_jobs.engines.portable.batches import batches
from django_jobs.engines.portable.claiming import holding
from django_jobs.engines.rows import Ack, Amended, Held, Released, Returned
from django_jobs.engines.settling import UNCLAIMED, attempt_row, error_row, if_asked, one_more, settle
from django_jobs.engines.transient import undid_only_rows
from django_jobs.exceptions import exception_name
from django_jobs.models import Attempt, Job, JobError
from django_jobs.outcomes import ErrorReport, Outcome, fingerprint
from django_jobs.serializers.limits import clean
from django_jobs.states import FINAL, AttemptOutcome, CancelRequest, ErrorKind, Status

if TYPE_CHECKING:
    from django_jobs.engines.base import Engine

logger = logging.getLogger("django_jobs.engines")


def release(engine: Engine, jobs: Sequence[Released]) -> Returned:
    """Give each back to its old place, or schedule it."""
    if not jobs:
        return Returned()
    with engine.transaction():
        places = [(job.held, _release(engine, job)) for job in sorted(jobs, key=lambda one: one.held)]
    cancelled = tuple(held for held, status in places if status is Status.CANCELLED)
    return Returned(sum(status is not None for _, status in places), cancelled)


def _release(engine: Engine, job: Released) -> Status | None:
    """Return what the job is now, None where it is not ours any more."""
    place = _place(job)
    if _end(engine, job.held, place):
        return Status(place["status"])
    return Status.CANCELLED if _end_asked(engine, job.held, place, engine.read_clock()) else None


def _place(job: Released) -> dict[str, Any]:
    place: dict[str, Any] = {"status": Status.READY, "reason": job.reason}
    if job.run_after is not None:
        place |= {"status": Status.SCHEDULED, "run_after": job.run_after}
    return place


def _end(engine: Engine, held: Held, values: dict[str, Any]) -> int:
    """End a claim, unless it is not ours any more or somebody wants the job cancelled."""
    unasked = holding(engine, held).filter(cancel_requested=CancelRequest.NONE)
    return unasked.update(**values, **UNCLAIMED)


def _end_asked(engine: Engine, held: Held, values: dict[str, Any], moment: datetime) -> int:
    """End the claim of a job that somebody wants cancelled. Once it is asked for, nobody takes that back."""
    # Also a number that nobody asks with: this and the guard above leave no row between them.
    asked = holding(engine, held).exclude(cancel_requested=CancelRequest.NONE)
    return asked.update(**if_asked(values, moment=moment), **UNCLAIMED)


def ack(engine: Engine, acks: Sequence[Ack]) -> list[Amended]:
    """Write each ack under its fence and within its own savepoint; return those written otherwise or not."""
    if not acks:
        return []
    with engine.transaction():
        # Rows in id order: two writers that share some of them then never wait for each other in a ring.
        done = [_ack(engine, one) for one in sorted(acks, key=lambda one: one.held)]
        return answering.answer(engine, acks, [one for one in done if one is not None])


def _ack(engine: Engine, ack: Ack) -> Amended | None:
    try:
        with engine.transaction():
            return _write(engine, ack)
    except Exception as error:  # drivers refuse values with ValueError and OverflowError as well
        if not undid_only_rows(error, engine.connection):
            raise
        return _ack_unstorable(engine, ack, error)


def _write(engine: Engine, ack: Ack) -> Amended | None:
    values = _values(ack)
    unasked = _end(engine, ack.held, values)
    if not unasked and not _end_asked(engine, ack.held, values, ack.finished_at):
        return Amended(ack.held, None)
    _write_history(engine, ack)
    if unasked or values["status"] in (Status.COMPLETED, Status.CANCELLED):
        return None
    return Amended(ack.held, ack.outcome, cancelled=True)


def _write_history(engine: Engine, ack: Ack) -> None:
    Attempt.objects.using(engine.alias).bulk_create([Attempt(**attempt_row(ack)._asdict())])
    if ack.outcome.error is not None:
        error = error_row(ack, ack.outcome.error)
        JobError.objects.using(engine.alias).bulk_create([JobError(**error._asdict())])
    expiring.note(engine, [ack])


def _values(ack: Ack) -> dict[str, Any]:
    if ack.outcome.outcome.charged:
        return {**settle(ack)._asdict(), "reason": "", "attempts": one_more("attempts")}
    return {"status": Status.READY, "reason": "", "interruptions": one_more("interruptions")}


def _ack_unstorable(engine: Engine, ack: Ack, error: Exception) -> Amended:
    """Write what the database refused as a failed attempt; whatever it refuses again is dropped, and said."""
    try:
        with engine.transaction():
            job = holding(engine, ack.held).values_list("function", "options", "max_attempts").first()
            if job is None:
                return Amended(ack.held, None)
            outcome = _unstorable(ack, error, *job)
            return _write(engine, ack._replace(outcome=outcome)) or Amended(ack.held, outcome)
    except Exception as second:
        if not undid_only_rows(second, engine.connection):
            raise
        # Without this, one such ack would keep all others of its batch from ever being written.
        logger.exception("The outcome of job %s cannot be stored and is dropped", ack.outcome.job_id)
        return Amended(ack.held, None)


def _unstorable(ack: Ack, error: Exception, function: str, options: str | None, max_attempts: int) -> Outcome:
    kind = exception_name(error)
    report = ErrorReport(
        kind=ErrorKind.STORAGE,
        exception_type=kind,
        message=clean(f"the outcome cannot be stored: {error}"),
        fingerprint=fingerprint(function, kind, ErrorKind.STORAGE),
    )
    return ack.outcome._replace(
        outcome=AttemptOutcome.FAILED,
        retry_in=retries.without_exception(options, number=ack.number, max_attempts=max_attempts),
        result_data=None,
        error=report,
        note=None,
    )


def requeue(engine: Engine, ids: Sequence[UUID], *, now: datetime) -> int:
    """Begin a new round; the attempts and errors of the old one stay and its meta, its result goes."""
    if not ids:
        return 0
    counts = {"round": one_more("round"), "attempts": 0, "interruptions": 0, "holds": 0}
    values = {"status": Status.READY, "run_after": now, "reason": "", "result_data": None, "error": None}
    with engine.transaction():
        noting.begin_anew(engine, ids)
        moved = move(engine, ids, FINAL, **counts, **values, cancel_requested=CancelRequest.NONE)
        expiring.forget(engine, ids)
    return moved


def move(engine: Engine, ids: Sequence[UUID], from_: frozenset[Status], **values: Any) -> int:
    """Write these values into those of these jobs that are in one of these states; return how many were."""
    if not ids:
        return 0
    with engine.transaction():
        return sum(_move(engine, part, from_, values) for part in batches(sorted(set(ids))))


def _move(engine: Engine, ids: Sequence[UUID], from_: frozenset[Status], values: dict[str, Any]) -> int:
    jobs = Job.objects.using(engine.alias).filter(status__in=sorted(from_), pk__in=ids)
    if engine.connection.features.has_select_for_update:
        # In id order, as acks lock theirs. An UPDATE takes them as its plan meets them, on PostgreSQL as they
        # lie in the table: two verbs over the same jobs could wait for each other in a ring.
        list(jobs.order_by("id").select_for_update().values_list("pk"))
    return jobs.update(**values)
