"""What a program asks for: enqueue, look, wait, cancel, requeue, replay."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import router, transaction
from django.dispatch import Signal
from django.utils import timezone

from django_jobs import announcements, drafts, signals
from django_jobs.context import JobInfo
from django_jobs.drafts import Call
from django_jobs.engines import Engine, engine_for
from django_jobs.engines.portable.batches import batches
from django_jobs.engines.rows import NewJob, Replay
from django_jobs.exceptions import JobNotFound
from django_jobs.models import Job
from django_jobs.options import Options
from django_jobs.registry import RegisteredFunction
from django_jobs.serializers import Owner
from django_jobs.serializers.parcels import SIGN, is_signed_for
from django_jobs.states import FINAL, PENDING, Status
from django_jobs.uuid7 import parse_ids
from django_jobs.waiting import Wait


class Cancelled(NamedTuple):
    """How many jobs were cancelled at once, and how many that are running were asked to be."""

    cancelled: int
    asked: int


def now() -> datetime:
    """Return this host's time: the one seam for enqueueing, cancelling, requeueing and pausing."""
    return timezone.now()


def enqueue(job_function: RegisteredFunction, calls: Sequence[Call], options: Options) -> list[Job]:
    """Store a job for each call, all or nothing, in the caller's transaction.

    Args:
        job_function: what the jobs will run.
        calls: positional and keyword arguments of each.
        options: of all of them; the settings' defaults lie below.

    Raises:
        TypeError: the function does not take these arguments.
        SerializationError: an argument cannot be stored.
        PayloadTooLarge: one call's arguments exceed MAX_PAYLOAD.
    """
    if not calls:
        return []
    alias = router.db_for_write(Job)
    rows = drafts.rows_of(job_function, calls, options.resolved(), now=now())
    engine = engine_for(alias)
    engine.repeated(lambda: engine.enqueue(rows))
    announcements.enqueued(rows, alias)
    return [drafts.handle_of(row, alias) for row in rows]


def enqueue_on_commit(
    job_function: RegisteredFunction, call: Call, options: Options, *, using: str | None
) -> Job:
    """Store a job once the caller's transaction on the alias `using` has committed; see `JobFunction`."""
    alias = router.db_for_write(Job)
    (row,) = drafts.rows_of(job_function, [call], options.resolved(), now=now())
    transaction.on_commit(partial(_store_after_commit, row, alias), using=using)
    return drafts.handle_of(row, alias)


def cancel(ids: Iterable[object], *, force: bool = False) -> Cancelled:
    """Cancel those of these jobs that are pending, and ask for those that are running; see `Job.cancel`.

    Args:
        force: end the running ones whatever their code does.

    Raises:
        JobNotFound: one of them does not exist; none was changed.
    """
    counts = Cancelled(0, 0)

    def verb(engine: Engine, wanted: list[UUID]) -> int:
        nonlocal counts
        # In this order: asking locks them all, so that none begins or ends between the two.
        asked = engine.ask_cancel(wanted, force=force)
        counts = Cancelled(engine.cancel(wanted, now=now()), asked)
        return sum(counts)

    _, cancelled = _change(ids, verb, signal=signals.job_cancelled, from_=PENDING)
    for job in cancelled:
        signals.send(signals.job_cancelled, job)
    return counts


def requeue(ids: Iterable[object]) -> int:
    """Put those of these jobs that are final back in place; return how many were.

    Raises:
        JobNotFound: one of them does not exist; none was changed.
    """
    count, requeued = _change(
        ids,
        lambda engine, wanted: engine.requeue(wanted, now=now()),
        signal=signals.job_requeued,
        from_=FINAL,
    )
    for job in requeued:
        signals.send(signals.job_requeued, replace(job, round=job.round + 1, attempt=0))
    return count


def replay(ids: Iterable[object]) -> list[Job]:
    """Make a new job of each of these that is a dead letter and was not replayed before; all or nothing.

    Returns:
        The new jobs, in the order of the ids they were made of.

    Raises:
        JobNotFound: one of them does not exist; none was changed.
        SerializationError: the arguments of one are signed, and not for it; names it. None was changed.
    """
    engine, wanted = engine_for(router.db_for_write(Job)), parse_ids(ids)
    made = engine.repeated(lambda: _replay(engine, wanted))
    for letter, row in made.items():
        announcements.enqueued([row], engine.alias)
        announcements.replayed(letter, row, engine.alias)
    return [drafts.handle_of(made[each], engine.alias, replay_of=each) for each in wanted if each in made]


def unsigned(ids: Iterable[object]) -> list[UUID]:
    """Return those of these jobs whose arguments should be signed for them and are not: no replay takes them.

    None of them is loaded. Those that do not exist are left out.
    """
    alias = router.db_for_write(Job)
    signed = Job.objects.using(alias).filter(args__startswith=SIGN).only("function", "args")
    return [
        job.pk
        for part in batches(parse_ids(ids))
        for job in signed.filter(pk__in=part)
        if not is_signed_for(job.args, Owner(job.pk, job.function))
    ]


def result(job: Job, *, timeout: float | None = None) -> Any:
    """Wait for a job and return its value; see `Job.result`."""
    wait = Wait(job, timeout)
    while (pause := wait.look()) is not None:
        time.sleep(pause)
    return wait.value()


async def aresult(job: Job, *, timeout: float | None = None) -> Any:
    """Wait for a job without blocking the event loop; see `Job.result`."""
    wait = Wait(job, timeout)
    # One look at a time: waiting as a whole would occupy the only thread that sync code shares.
    look = sync_to_async(wait.look, thread_sensitive=True)
    while (pause := await look()) is not None:
        await asyncio.sleep(pause)
    return await sync_to_async(wait.value, thread_sensitive=True)()


def _store_after_commit(row: NewJob, alias: str) -> None:
    engine = engine_for(alias)
    try:
        engine.repeated(lambda: engine.enqueue([row]))
    except Exception as error:
        # The caller sees it come out of a commit that did happen, and must know what is missing now.
        error.add_note(f"the transaction has committed, but its job {row.id} {row.function} was not stored")
        raise
    announcements.enqueued([row], alias)


def _replays(ids: Sequence[UUID], alias: str) -> list[Replay]:
    moment = now()
    dead = Job.objects.using(alias).filter(status=Status.DEAD, replayed_as=None).only(*NewJob._fields)
    return [
        Replay(job.pk, drafts.row_again(job, now=moment))
        for part in batches(ids)
        for job in dead.filter(pk__in=part)
    ]


def _replay(engine: Engine, wanted: Sequence[UUID]) -> dict[UUID, NewJob]:
    with engine.transaction():
        replays = _replays(wanted, engine.alias)
        replayed = set(engine.replay(replays))
        if len(replayed) < len(wanted):
            _check_existence(wanted, engine.alias)
    return {each.dead: each.job for each in replays if each.dead in replayed}


def _change(
    ids: Iterable[object],
    verb: Callable[[Engine, list[UUID]], int],
    *,
    signal: Signal,
    from_: frozenset[Status],
) -> tuple[int, list[JobInfo]]:
    """Return how many jobs the verb has changed and, if anybody listens to the signal, which."""
    engine, wanted = engine_for(router.db_for_write(Job)), parse_ids(ids)

    def change() -> tuple[int, list[JobInfo]]:
        with engine.transaction():
            found = announcements.found(signal, wanted, from_, engine.alias)
            count = verb(engine, wanted)
            if count < len(wanted):
                _check_existence(wanted, engine.alias)
        return count, found

    return engine.repeated(change)


def _check_existence(ids: Sequence[UUID], alias: str) -> None:
    for some in batches(ids):
        found = set(Job.objects.using(alias).filter(pk__in=some).values_list("pk", flat=True))
        for job_id in some:
            if job_id not in found:
                raise JobNotFound(job_id)
