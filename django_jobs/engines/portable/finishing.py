"""End a claim: release, ack; and requeue, which begins again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import F

from django_jobs import retries
from django_jobs.engines.portable import expiring, noting
from django_jobs.engines.portable.batches import batches
from django_jobs.engines.portable.claiming import holding
from django_jobs.engines.rows import Ack, Amended, Held, Released
from django_jobs.engines.settling import UNCLAIMED, attempt_row, error_row, if_asked, settle
from django_jobs.engines.transient import is_about_rows
from django_jobs.exceptions import exception_name
from django_jobs.models import Attempt, Job, JobError
from django_jobs.outcomes import ErrorReport, Outcome, fingerprint
from django_jobs.serializers.limits import clean
from django_jobs.states import FINAL, AttemptOutcome, CancelRequest, ErrorKind, Status

if TYPE_CHECKING:
    from django_jobs.engines.base import Engine

logger = logging.getLogger("django_jobs.engines")


def release(engine: Engine, jobs: Sequence[Released]) -> int:
    """Give each back to its old place, or schedule it."""
    if not jobs:
        return 0
    with engine.transaction():
        return sum(_release(engine, job) for job in sorted(jobs, key=lambda one: one.held))


def _release(engine: Engine, job: Released) -> int:
    place: dict[str, Any] = {"status": Status.READY, "reason": job.reason}
    if job.run_after is not None:
        place |= {"status": Status.SCHEDULED, "run_after": job.run_after}
    return _end(engine, job.held, place) or _end_asked(engine, job.held, place, engine.read_clock())


def _end(engine: Engine, held: Held, values: dict[str, Any]) -> int:
    """End a claim, unless it is not ours any more or somebody wants the job cancelled."""
    unasked = holding(engine, held).filter(cancel_requested=CancelRequest.NONE)
    return unasked.update(**values, **UNCLAIMED)


def _end_asked(engine: Engine, held: Held, values: dict[str, Any], moment: datetime) -> int:
    """End the claim of a job that somebody wants cancelled. Once it is asked for, nobody takes that back."""
    asked = holding(engine, held).filter(cancel_requested__gt=CancelRequest.NONE)
    return asked.update(**if_asked(values, moment=moment), **UNCLAIMED)


def ack(engine: Engine, acks: Sequence[Ack]) -> list[Amended]:
    """Write each ack under its fence and within its own savepoint; return those written otherwise or not."""
    if not acks:
        return []
    with engine.transaction():
        # Rows in id order: two writers that share some of them then never wait for each other in a ring.
        done = [_ack(engine, one) for one in sorted(acks, key=lambda one: one.held)]
    return [one for one in done if one is not None]


def _ack(engine: Engine, ack: Ack) -> Amended | None:
    try:
        with engine.transaction():
            return _write(engine, ack)
    except Exception as error:  # drivers refuse values with ValueError and OverflowError as well
        if not is_about_rows(error):
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
        return {**settle(ack)._asdict(), "reason": "", "attempts": F("attempts") + 1}
    return {"status": Status.READY, "reason": "", "interruptions": F("interruptions") + 1}


def _ack_unstorable(engine: Engine, ack: Ack, error: Exception) -> Amended:
    """Write what the database refused as a failed attempt; whatever it refuses again is dropped, and said."""
    try:
        with engine.transaction():
            job = holding(engine, ack.held).values_list("function", "options", "max_attempts").first()
            if job is None:
                return Amended(ack.held, None)
            outcome = _unstorable(ack, error, *job)
            return _write(engine, replace(ack, outcome=outcome)) or Amended(ack.held, outcome)
    except Exception as second:
        if not is_about_rows(second):
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
    return replace(
        ack.outcome,
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
    counts = {"round": F("round") + 1, "attempts": 0, "interruptions": 0, "holds": 0}
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
        jobs = Job.objects.using(engine.alias).filter(status__in=sorted(from_))
        return sum(jobs.filter(pk__in=part).update(**values) for part in batches(sorted(set(ids))))
