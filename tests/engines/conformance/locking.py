from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction

from django_jobs.engines import Engine
from django_jobs.engines.rows import ClaimedJob, Held, Released, Started
from django_jobs.models import Job
from tests.engines.conformance.making import LEASE, NOW, claim, done, enqueue, failed, statuses

WAITING = {
    # Not pg_stat_activity, which does not change within a transaction.
    "postgresql": """SELECT count(*) FROM pg_locks AS waiting
        JOIN pg_locks AS held ON held.pid = waiting.pid AND held.relation = 'django_jobs_job'::regclass
        WHERE NOT waiting.granted""",
    "mysql": """SELECT count(*) FROM information_schema.innodb_trx AS waiting
        JOIN information_schema.processlist AS process ON process.id = waiting.trx_mysql_thread_id
        WHERE waiting.trx_state = 'LOCK WAIT' AND process.db = DATABASE()""",
}
VERBS: dict[str, Callable[[Engine, list[ClaimedJob]], object]] = {
    "ack": lambda engine, jobs: engine.ack([done(job) for job in jobs]),
    "ack of failures": lambda engine, jobs: engine.ack([failed(job, 0) for job in jobs]),
    "renew": lambda engine, jobs: engine.renew([_held(job) for job in jobs], lease=LEASE),
    "release": lambda engine, jobs: engine.release([Released(_held(job)) for job in jobs]),
    "start": lambda engine, jobs: engine.start([Started(_held(job), NOW) for job in jobs]),
}


@pytest.mark.django_db(transaction=True)
class TestLocks:
    """For servers, where two writers can lock each other out."""

    @pytest.mark.parametrize("verb", VERBS)
    def test_a_verb_that_waits_for_a_row_has_locked_none_with_a_higher_id(self, engine, verb):
        enqueue(engine, 50)
        first, *others = sorted(claim(engine, 50), key=lambda job: job.id)
        writer = threading.Thread(target=_write, args=(engine, verb, [*reversed(others), first]))
        with transaction.atomic():
            Job.objects.filter(pk=first.id).update(reason="locked")
            writer.start()
            _until_someone_waits()
            free = Job.objects.select_for_update(skip_locked=True).exclude(pk=first.id)
            assert len(free) == len(others)
        writer.join()
        # And goes on with all of them.
        assert len(set(statuses().values())) == 1


def _held(job: ClaimedJob) -> Held:
    return Held(job.id, job.token)


def _write(engine: Engine, verb: str, jobs: list[ClaimedJob]) -> None:
    try:
        VERBS[verb](engine, jobs)
    finally:
        connections.close_all()


def _until_someone_waits() -> None:
    end = time.monotonic() + 20
    with connection.cursor() as cursor:
        while True:
            cursor.execute(WAITING[connection.vendor])
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < end, "nobody waits"
            time.sleep(0.15)  # InnoDB tells the same again to whoever asks within a tenth of a second
