"""The server commits and its answer is lost: who asked tries again or is told; nothing is done twice."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from django_jobs import client
from django_jobs.engines import engine_for
from django_jobs.models import Attempt, Job
from django_jobs.states import FINAL, Status
from tests import jobs_that_misbehave as jobs
from tests.faults.accounts import Accounts
from tests.faults.ledger import Ledger as Record
from tests.faults.reckoning import broken
from tests.processes.conftest import Start, through, used_here
from tests.proxy import Proxy
from tests.tiers import by_tier

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.only_on("postgresql", "mariadb"),
    pytest.mark.timeout(by_tier(60, 120, 3600)),
]

TIMES = by_tier(1, 3, 50)
# What stores jobs says this: an INSERT, and of many on PostgreSQL a COPY.
STORES = b"django_jobs_job (id"


@pytest.fixture
def through_proxy(proxy: Proxy) -> Iterator[None]:
    """Let this process use the database through the proxy."""
    with used_here(through(proxy)):
        yield


def _dead_letters() -> list[Any]:
    letters = [job.pk for job in jobs.give_up.enqueue_many([()] * 3)]
    Job.objects.update(status=Status.DEAD, run_after=timezone.now())
    return letters


def _rounds() -> set[int]:
    return set(Job.objects.values_list("round", flat=True))


# What is asked for, what of it goes before the commit (nothing: it has none), and how often it was done.
ASKED: dict[str, tuple[Callable[[list[Any]], Any], bytes, Callable[[], Any], Any]] = {
    "enqueue": (
        lambda _: jobs.give_up.using(queue="new").enqueue(),
        b"",
        lambda: Job.objects.filter(queue="new").count(),
        1,
    ),
    "enqueue_many": (
        lambda _: jobs.give_up.using(queue="new").enqueue_many([()] * 7),
        STORES,
        lambda: Job.objects.filter(queue="new").count(),
        7,
    ),
    "requeue": (client.requeue, b"UPDATE", _rounds, {2}),
    "replay": (client.replay, STORES, Job.objects.count, 6),
}


@pytest.mark.faults
@pytest.mark.parametrize("verb", ASKED)
def test_whoever_asks_is_told_and_it_is_done_once(through_proxy: None, proxy: Proxy, verb: str) -> None:
    ask, before_commit, done, once = ASKED[verb]
    letters = _dead_letters()
    request = b"COMMIT" if before_commit else STORES
    proxy.swallow_replies_to(request, times=1, after=before_commit)
    with pytest.raises(OperationalError):
        ask(letters)
    connection.close()
    assert not proxy.swallows
    assert done() == once
    if verb in ("requeue", "replay"):
        # Who asks for the same again, as one does after an error, gets no second one.
        assert not ask(letters)
        assert done() == once


def _enqueue(record: Record, seconds: float = 0) -> None:
    record.write("ENQUEUED", jobs.run_on_record.enqueue(str(record), seconds).id)


def _leave_a_lapsed_claim(record: Record) -> None:
    """Enqueue a job and claim it for a worker that there is not, a while ago."""
    job = jobs.run_on_record.using(queue="lost").enqueue(str(record))
    record.write("ENQUEUED", job.id)
    lease = timezone.now() - timedelta(seconds=1)
    engine_for("default").claim(["lost"], 1, worker_id="gone", token=secrets.randbits(63), lease=lease)


def _leave_an_old_job(record: Record) -> None:
    old = jobs.give_up.using(queue="old").enqueue()
    Job.objects.filter(pk=old.pk).update(
        status=Status.COMPLETED, run_after=timezone.now() - timedelta(days=8)
    )


def _mark(verb: str) -> bytes:
    text = DONE_BY_WORKERS[verb][1]
    if connection.vendor == "mysql":
        # A renewal is of plain SQL on PostgreSQL only.
        text = text.replace("SET lease = ", "SET `lease` = ").replace('"', "`")
    elif verb == "prune":
        text = text.replace('"', "") + " "  # of plain SQL too; the space: other tables begin with this name
    return text.encode()


# What makes a worker do it, and what it then says before it commits.
DONE_BY_WORKERS: dict[str, tuple[Callable[[Record], None], str]] = {
    "claim": (_enqueue, "SET status = 'running'"),
    "ack": (_enqueue, "INSERT INTO django_jobs_attempt"),
    "renew": (lambda record: _enqueue(record, 1.0), "SET lease = "),
    "rescue": (_leave_a_lapsed_claim, '"lease" < '),
    "prune": (_leave_an_old_job, 'DELETE FROM "django_jobs_job"'),
}


@pytest.mark.faults(from_tier=1)
@pytest.mark.parametrize("verb", DONE_BY_WORKERS)
def test_what_a_worker_has_done_without_hearing_of_it_is_done_once(
    start_worker: Start,
    record: Record,
    proxy: Proxy,
    record_property: Callable[[str, object], None],
    verb: str,
) -> None:
    record_property("size", f"{TIMES} times each of {len(DONE_BY_WORKERS)} verbs")
    provoke, _ = DONE_BY_WORKERS[verb]
    # Longer than a test takes, where nothing may have to wait for its end.
    lease = 3 if verb in ("renew", "rescue") else 600
    worker = start_worker("--exclude", "old", database=through(proxy), LEASE=lease, PRUNE_INTERVAL=0.1)
    worker.until(lambda: " serves " in worker.log)
    for _ in range(TIMES):
        if verb == "claim" and connection.vendor == "postgresql":
            proxy.swallow_replies_to(_mark(verb), times=1)  # a transaction by itself
        else:
            proxy.swallow_replies_to(b"COMMIT", times=1, after=_mark(verb))
        while proxy.swallows:
            provoke(record)
            worker.until(lambda: not proxy.swallows or _is_all_done())
        worker.until(_is_all_done)
    assert worker.stop() == 0
    assert broken(Accounts.read(record)) == []
    assert set(Attempt.objects.values_list("outcome", flat=True)) <= {"completed", "interrupted"}
    # Only what was lost by a worker that there is not has been taken from one.
    assert not Attempt.objects.filter(outcome="interrupted").exclude(worker_id="gone").exists()


def _is_all_done() -> bool:
    return not Job.objects.exclude(status__in=FINAL).exists() and not Job.objects.filter(queue="old").exists()
