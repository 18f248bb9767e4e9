"""From a call to the row that an engine stores, and to the handle of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import NOT_PROVIDED

from django_jobs.engines.rows import NewJob
from django_jobs.models import Job
from django_jobs.options import Options, checks
from django_jobs.registry import RegisteredFunction
from django_jobs.serializers import dump_args
from django_jobs.states import Status
from django_jobs.uuid7 import uuid7

Call = tuple[Sequence[Any], Mapping[str, Any]]


def calls_of(given: Iterable[tuple[Any, ...] | Mapping[str, Any]]) -> list[Call]:
    """Read the calls of `enqueue_many`: a tuple is args, a dict is kwargs.

    Raises:
        TypeError: one is neither; says which.
    """
    return [_call_of(index, each) for index, each in enumerate(given)]


def rows_of(
    job_function: RegisteredFunction, calls: Sequence[Call], options: Options, *, now: datetime
) -> list[NewJob]:
    """Return the row of each call, its arguments bound and encoded.

    Raises:
        TypeError, SerializationError, PayloadTooLarge: see `JobFunction.enqueue`; a note names the call.
    """
    status, run_after = _due(options.run_after, now)
    stored = options.stored()
    return [
        NewJob(
            id=uuid7(),
            function=job_function.name,
            queue=options.queue,
            status=status,
            priority=options.priority,
            run_after=run_after,
            args=_args_of(job_function, index, call),
            options=stored,
            max_attempts=options.max_attempts,
            timeout=options.timeout,
        )
        for index, call in enumerate(calls)
    ]


def row_again(job: Job, *, now: datetime) -> NewJob:
    """Return the row of a new job that does what a stored one was to do."""
    new: dict[str, Any] = {
        "id": uuid7(),
        "status": Status.READY,
        "run_after": now,
        "holds": 0,
        "reason": "",
    }
    # All else as it is stored, the options as their very text: it may hold what this version does not know.
    return NewJob(**{name: getattr(job, name) for name in NewJob._fields if name not in new}, **new)


def handle_of(row: NewJob, alias: str, **links: UUID) -> Job:
    """Return the job as it is once the row is stored."""
    values = {**_unwritten(), **row._asdict(), "status": row.status.value, **links}
    # As if it had been read: no query, and saved as far as Django is concerned.
    return Job.from_db(alias, list(values), list(values.values()))


@cache
def _unwritten() -> dict[str, Any]:
    """Return what the database gives the columns that no enqueue writes."""
    return {
        field.attname: None if field.db_default is NOT_PROVIDED else field.db_default
        for field in Job._meta.concrete_fields
    }


def _args_of(job_function: RegisteredFunction, index: int, call: Call) -> str:
    try:
        return dump_args(job_function.signature, job_function.name, *call)
    except Exception as error:
        if index:
            error.add_note(f"in call {index} (counted from 0)")
        raise


def _due(run_after: datetime | timedelta | None, moment: datetime) -> tuple[Status, datetime]:
    if isinstance(run_after, timedelta):
        try:
            run_after = checks.moment("run_after", moment + run_after)
        except OverflowError:
            raise ValueError(f"run_after is out of range: {run_after!r}") from None
    # A past time is as good as none: it must not jump the queue of those that were enqueued before.
    if run_after is None or run_after <= moment:
        return Status.READY, moment
    return Status.SCHEDULED, run_after


def _call_of(index: int, given: object) -> Call:
    if isinstance(given, tuple):
        return given, {}
    if isinstance(given, Mapping):
        return (), given
    raise TypeError(
        f"call {index} (counted from 0) must be a tuple of args or a dict of kwargs, not {given!r}"
    )
