"""Deadlocks and serialization failures between a caller of the queue and a stranger reach no caller."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import Error, OperationalError, connection, connections, transaction

from django_jobs import client, queue_verbs
from django_jobs.engines import engine_for
from django_jobs.engines.portable import repeating
from django_jobs.engines.transient import is_conflict
from django_jobs.models import Job
from django_jobs.states import Status
from tests import jobs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def conflicts(monkeypatch: pytest.MonkeyPatch) -> list[Error]:
    """Return the conflicts that the queue has met."""
    met: list[Error] = []

    def seen(error: Error) -> bool:
        met.extend([error] * is_conflict(error))
        return is_conflict(error)

    monkeypatch.setattr(repeating, "is_conflict", seen)
    return met


class Caller(threading.Thread):
    """Calls the queue on a connection of its own."""

    def __init__(self, call: Callable[[], Any], *, isolation: str | None = None) -> None:
        super().__init__()
        self._call, self._isolation = call, isolation
        self.returned: Any = None
        self.raised: Exception | None = None

    def run(self) -> None:
        """Keep what the call returns or raises."""
        try:
            if self._isolation:
                with connection.cursor() as cursor:
                    cursor.execute(
                        f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {self._isolation}"
                    )
            self.returned = self._call()
        except Exception as error:
            self.raised = error
        finally:
            connections.close_all()


@pytest.fixture
def heavy() -> Callable[[], Any]:
    """Return a way to open a transaction that a database would rather not undo."""
    filler = jobs.add.using(queue="filler").enqueue_many([(1, 2)] * 20)

    @contextmanager
    def opened() -> Iterator[Any]:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # Who waits for so long looks for a ring; the other one will have looked first.
                cursor.execute("SET LOCAL deadlock_timeout = '60s'")
            for job in filler:  # one by one: of many ids a small table is scanned, and locked, as a whole
                _touch(job)
            yield cursor

    return opened


def _touch(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(reason="touched by a stranger")


def _is_locked(job: Job) -> bool:
    watcher = connection.copy()
    try:
        with watcher.cursor() as cursor:
            key = Job._meta.pk.get_db_prep_value(job.pk, connection)
            cursor.execute("SELECT 1 FROM django_jobs_job WHERE id = %s FOR UPDATE NOWAIT", [key])
    except OperationalError:
        return True
    finally:
        watcher.close()
    return False


def _waits_for_a_lock() -> bool:
    watcher = connection.copy()
    try:
        with watcher.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return cursor.fetchone() is not None
    finally:
        watcher.close()


def _is_on_its_way(queue: str) -> bool:
    """Return whether a job is there that nobody has committed."""
    watcher = connection.copy()
    try:
        with watcher.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
            cursor.execute("SELECT queue FROM django_jobs_job FORCE INDEX (PRIMARY)")
            return (queue,) in cursor.fetchall()
    finally:
        watcher.close()


def _until(fact: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not fact():
        assert time.monotonic() < end, "never became true"
        time.sleep(0.01)


@pytest.mark.only_on("postgresql", "mariadb")
@pytest.mark.parametrize("verb", [client.cancel, client.requeue])
def test_a_deadlock_over_the_rows_of_a_verb_does_not_reach_its_caller(
    conflicts: list[Error], heavy: Callable[[], Any], verb: Callable[[list[Any]], int]
) -> None:
    first, second = jobs.add.enqueue_many([(1, 1), (2, 2)])
    if verb is client.requeue:
        client.cancel([first.pk, second.pk])
    caller = Caller(lambda: verb([first.pk, second.pk]))
    with heavy():
        _touch(second)
        caller.start()
        _until(lambda: _is_locked(first))
        _touch(first)
    caller.join()
    assert (caller.raised, caller.returned) == (None, 2 if verb is client.requeue else (2, 0))
    assert len(conflicts) == 1


@pytest.mark.only_on("mariadb")
@pytest.mark.parametrize("calls", [[(1, 1)], [(1, 1), (2, 2)]])
def test_a_deadlock_over_the_place_of_a_new_row_does_not_reach_the_enqueuer(
    conflicts: list[Error], heavy: Callable[[], Any], calls: list[tuple[int, int]]
) -> None:
    caller = Caller(lambda: jobs.add.using(queue="new").enqueue_many(calls))
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    with heavy() as cursor:
        # At this level a look at nothing locks the gap where the new row will go.
        cursor.execute(
            "SELECT id FROM django_jobs_job FORCE INDEX (django_jobs_claim) "
            "WHERE status = 'ready' AND queue = 'new' FOR UPDATE"
        )
        caller.start()
        _until(lambda: _is_on_its_way("new"))
        cursor.execute("SELECT args FROM django_jobs_job FORCE INDEX (PRIMARY) FOR UPDATE")
    caller.join()
    assert caller.raised is None
    assert Job.objects.filter(queue="new").count() == len(calls)
    assert len(conflicts) == 1


@pytest.mark.only_on("postgresql")
def test_a_serialization_failure_does_not_reach_the_caller(
    conflicts: list[Error], heavy: Callable[[], Any]
) -> None:
    job = jobs.add.enqueue(1, 1)
    caller = Caller(lambda: client.cancel([job.pk]), isolation="repeatable read")
    with heavy():
        _touch(job)
        caller.start()
        _until(_waits_for_a_lock)
    caller.join()
    assert (caller.raised, caller.returned) == (None, (1, 0))
    assert len(conflicts) == 1


def _dead_letter() -> Any:
    job = jobs.add.enqueue(1, 1)
    Job.objects.filter(pk=job.pk).update(status=Status.DEAD)
    return job.pk


@pytest.mark.parametrize(
    ("verb", "ask"),
    {
        "enqueue": lambda: jobs.add.enqueue(1, 1),
        "cancel": lambda: client.cancel([jobs.add.enqueue(1, 1).pk]),
        "requeue": lambda: client.requeue([_dead_letter()]),
        "replay": lambda: client.replay([_dead_letter()]),
        "pause": lambda: queue_verbs.pause("mail"),
        "resume": lambda: queue_verbs.pause("mail") and queue_verbs.resume("mail"),
    }.items(),
)
def test_whatever_is_asked_for_is_tried_again_after_a_conflict(
    monkeypatch: pytest.MonkeyPatch, verb: str, ask: Callable[[], Any]
) -> None:
    engine = type(engine_for("default"))
    really, in_the_way = getattr(engine, verb), iter([True])

    def write(self: Any, *args: Any, **kwargs: Any) -> Any:
        if next(in_the_way, False):
            raise OperationalError("deadlock")
        return really(self, *args, **kwargs)

    monkeypatch.setattr(engine, verb, write)
    monkeypatch.setattr(repeating, "is_conflict", lambda error: True)
    assert ask()
    assert next(in_the_way, None) is None
