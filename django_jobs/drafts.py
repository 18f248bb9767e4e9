"""From a call to the row that an engine stores, and to the handle of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import NOT_PROVIDED
from django.db.models.base import ModelState
from django.db.models.signals import post_init, pre_init

from django_jobs import registry
from django_jobs.engines.rows import NewJob
from django_jobs.exceptions import SerializationError, UnknownJobFunction
from django_jobs.models import Job
from django_jobs.options import Options, checks
from django_jobs.registry import RegisteredFunction
from django_jobs.serializers import Owner, dump_args, repacked
from django_jobs.states import Status
from django_jobs.uuid7 import uuid7, uuid7s

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
        UnknownJobFunction: there is none of the name that is given as on_failure.
    """
    options = _answered_for(job_function, options)
    status, run_after = _due(options.run_after, now)
    stored = options.stored()
    owners = [Owner(job_id, job_function.name) for job_id in uuid7s(len(calls))]
    return [
        # By position: by name, each row of a bulk would take more than twice as long to make.
        NewJob(
            owner.id,
            owner.function,
            options.queue,
            status,
            options.priority,
            run_after,
            _args_of(job_function, owner, index, call, options.serializer),
            stored,
            options.max_attempts,
            options.timeout,
        )
        for index, (owner, call) in enumerate(zip(owners, calls, strict=True))
    ]


def row_again(job: Job, *, now: datetime) -> NewJob:
    """Return the row of a new job that does what a stored one was to do.

    Raises:
        SerializationError: its arguments are signed, and not for it; names the job.
    """
    old, owner = Owner(job.pk, job.function), Owner(uuid7(), job.function)
    try:
        args = repacked(job.args, old=old, new=owner)
    except SerializationError as error:
        raise SerializationError(f"job {job.pk} cannot be replayed: {error}") from error
    new: dict[str, Any] = {
        "id": owner.id,
        "args": args,
        "status": Status.READY,
        "run_after": now,
        "holds": 0,
        "reason": "",
    }
    # All else as it is stored, the options as their very text: it may hold what this version does not know.
    return NewJob(**{name: getattr(job, name) for name in NewJob._fields if name not in new}, **new)


def handle_of(row: NewJob, alias: str, **links: UUID) -> Job:
    """Return the job as it is once the row is stored."""
    # As if it had been read: no query, and saved as far as Django is concerned.
    if _is_made_heard():
        values: dict[str, Any] = {}
        _fill(values, row, links)
        return Job.from_db(alias, list(values), list(values.values()))
    # What that comes to, in a tenth of its time: of a bulk of jobs the handles were the dearest part.
    job = Job.__new__(Job)
    job._state = state = ModelState()
    state.adding, state.db = False, alias
    _fill(job.__dict__, row, links)
    return job


def _fill(values: dict[str, Any], row: NewJob, links: Mapping[str, UUID]) -> None:
    values.update(_unwritten())
    values.update(zip(NewJob._fields, row, strict=True))
    values.update(links, status=str(row.status))


def _is_made_heard() -> bool:
    """Return whether anybody is to be told of each instance that is made."""
    return bool(pre_init.receivers or post_init.receivers) and (
        pre_init.has_listeners(Job) or post_init.has_listeners(Job)
    )


@cache
def _unwritten() -> dict[str, Any]:
    """Return what the database gives the columns that no enqueue writes."""
    return {
        field.attname: None if field.db_default is NOT_PROVIDED else field.db_default
        for field in Job._meta.concrete_fields
    }


def _answered_for(job_function: RegisteredFunction, options: Options) -> Options:
    """Return options whose on_failure a worker can call; the project's default may be this very function."""
    if options.on_failure == job_function.name:
        return replace(options, on_failure=None)
    if options.on_failure is not None:
        try:
            registry.find(options.on_failure).signature.bind(uuid7())
        except (TypeError, UnknownJobFunction) as error:
            error.add_note(f"it is what on_failure of {job_function.name} calls, with the id of the dead job")
            raise
    return options


def _args_of(job_function: RegisteredFunction, owner: Owner, index: int, call: Call, serializer: str) -> str:
    try:
        return dump_args(job_function.signature, owner, *call, serializer=serializer)
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
