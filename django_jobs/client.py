"""What a program asks for: enqueue, look, wait, cancel, requeue, replay; pause and resume a queue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import router, transaction
from django.utils import timezone

from django_jobs import drafts
from django_jobs.drafts import Call
from django_jobs.engines import Engine, engine_for
from django_jobs.engines.portable.batches import batches
from django_jobs.engines.rows import NewJob, Replay
from django_jobs.exceptions import JobNotFound
from django_jobs.models import Job
from django_jobs.options import Options, checks
from django_jobs.registry import RegisteredFunction
from django_jobs.states import Status
from django_jobs.uuid7 import parse_id
from django_jobs.waiting import Wait


class Cancelled(NamedTuple):
    """How many jobs were cancelled at once, and how many that are running were asked to be."""

    cancelled: int
    asked: int


def now() -> datetime:
    """Return this host's time: the one seam for enqueueing, cancelling and requeueing."""
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

    _change(ids, verb)
    return counts


def requeue(ids: Iterable[object]) -> int:
    """Put those of these jobs that are final back in place; return how many were.

    Raises:
        JobNotFound: one of them does not exist; none was changed.
    """
    return _change(ids, lambda engine, wanted: engine.requeue(wanted, now=now()))


def replay(ids: Iterable[object]) -> list[Job]:
    """Make a new job of each of these that is a dead letter and was not replayed before; all or nothing.

    Returns:
        The new jobs, in the order of the ids they were made of.

    Raises:
        JobNotFound: one of them does not exist; none was changed.
    """
    engine, wanted = engine_for(router.db_for_write(Job)), _uuids(ids)
    made = engine.repeated(lambda: _replay(engine, wanted))
    return [drafts.handle_of(made[each], engine.alias, replay_of=each) for each in wanted if each in made]


def pause_queue(name: str) -> bool:
    """Pause a queue; see `django_jobs.pause_queue`."""
    checks.queue("name", name)
    engine = engine_for(router.db_for_write(Job))
    return engine.repeated(lambda: engine.pause([name], now=now())) > 0


def resume_queue(name: str) -> bool:
    """Resume a queue; see `django_jobs.resume_queue`."""
    checks.queue("name", name)
    engine = engine_for(router.db_for_write(Job))
    return engine.repeated(lambda: engine.resume([name])) > 0


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


def _replays(ids: Sequence[UUID], alias: str) -> list[Replay]:
    moment = now()
    dead = Job.objects.using(alias).filter(status=Status.DEAD, replayed_as=None).only(*NewJob._fields)
    return [
        Replay(job.pk, drafts.row_again(job, now=moment))
        for part in batches(ids)
        for job in dead.filter(pk__in=part)
    ]


def _uuids(ids: Iterable[object]) -> list[UUID]:
    # A text is iterable too, and its first character would be looked for as an id.
    if isinstance(ids, (str, bytes)) or not isinstance(ids, Iterable):
        raise TypeError(f"a list of ids is needed, not {ids!r}")
    return list(dict.fromkeys(map(parse_id, ids)))


def _replay(engine: Engine, wanted: Sequence[UUID]) -> dict[UUID, NewJob]:
    with engine.transaction():
        replays = _replays(wanted, engine.alias)
        replayed = set(engine.replay(replays))
        if len(replayed) < len(wanted):
            _check_existence(wanted, engine.alias)
    return {each.dead: each.job for each in replays if each.dead in replayed}


def _change(ids: Iterable[object], verb: Callable[[Engine, list[UUID]], int]) -> int:
    engine, wanted = engine_for(router.db_for_write(Job)), _uuids(ids)

    def change() -> int:
        with engine.transaction():
            count = verb(engine, wanted)
            if count < len(wanted):
                _check_existence(wanted, engine.alias)
        return count

    return engine.repeated(change)


def _check_existence(ids: Sequence[UUID], alias: str) -> None:
    for some in batches(ids):
        found = set(Job.objects.using(alias).filter(pk__in=some).values_list("pk", flat=True))
        for job_id in some:
            if job_id not in found:
                raise JobNotFound(job_id)
