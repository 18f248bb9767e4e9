"""PostgreSQL's own engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from unittest import mock
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from django_jobs.engines import Engine, engine_for
from django_jobs.engines.postgresql import PostgreSQLEngine
from django_jobs.engines.rows import MAX_INTERRUPTIONS
from django_jobs.engines.stretches import Place
from django_jobs.models import Job
from tests.engines.conformance import *  # noqa: F403
from tests.engines.conformance.limits import TestPrepare  # noqa: F401
from tests.engines.conformance.locking import TestLocks  # noqa: F401
from tests.engines.conformance.making import LEASE, NOW, TOKEN, analyze, claim, enqueue, new
from tests.engines.conformance.plans import TestPlansOfWhatWasSmall  # noqa: F401

pytestmark = pytest.mark.only_on("postgresql")


@pytest.fixture
def engine() -> Engine:
    return PostgreSQLEngine("default")


@pytest.fixture
def limit() -> Callable[[], float]:
    """Return what reads the limit of a statement's time, in seconds."""
    sql = "SELECT EXTRACT(epoch FROM current_setting('statement_timeout')::interval)"
    return lambda: engine_for("default").ask(sql)[0][0]


@pytest.mark.django_db
def test_our_tables_are_tidied_up_long_before_a_fifth_of_them_is_dead() -> None:
    for model in apps.get_app_config("django_jobs").get_models():
        if not model._meta.proxy:
            sql = "SELECT reloptions FROM pg_class WHERE oid = %s::regclass"
            assert engine_for("default").ask(sql, (model._meta.db_table,)) == [
                (["autovacuum_vacuum_scale_factor=0.01"],)
            ]


@pytest.mark.django_db(transaction=True)
def test_with_the_statistics_of_a_single_job_no_more_are_claimed_than_asked_for(engine: Engine) -> None:
    engine_for("default").ask(f"TRUNCATE {Job._meta.db_table}")
    enqueue(engine)
    analyze(Job._meta.db_table)
    # All on the one page that held a single row: the planner believes that it still does.
    enqueue(engine, 20)
    assert [len(claim(engine, 2, token=token)) for token in (2, 3, 4)] == [2, 2, 2]


@pytest.mark.django_db
@pytest.mark.parametrize("past", [[], [Place("default", 0, NOW - timedelta(days=1), UUID(int=0))]])
def test_nothing_is_claimed_from_a_paused_queue_although_it_is_named(
    engine: Engine, past: list[Place]
) -> None:
    for queue in ("default", "mail"):
        enqueue(engine, queue=queue)
    engine.pause(["mail"], now=NOW)
    jobs = engine.claim(["default", "mail"], 9, worker_id="w", token=TOKEN, lease=LEASE, past=past)
    assert [job.queue for job in jobs] == ["default"]
    engine.resume(["mail"])
    jobs = engine.claim(["default", "mail"], 9, worker_id="w", token=TOKEN, lease=LEASE, past=past)
    assert [job.queue for job in jobs] == ["mail"]


@pytest.mark.django_db(transaction=True)
def test_a_claim_is_one_statement_also_of_what_was_interrupted_often(engine: Engine) -> None:
    (job,) = enqueue(engine)
    Job.objects.update(interruptions=MAX_INTERRUPTIONS)
    with CaptureQueriesContext(connection) as captured:
        assert claim(engine)
    assert len(captured) == 1
    assert Job.objects.get(pk=job.id).started_at is not None


def test_the_vendor_s_engine_is_the_one_in_use() -> None:
    assert type(engine_for("default")) is PostgreSQLEngine


@pytest.mark.django_db(transaction=True)
class TestTransaction:
    @pytest.fixture(autouse=True)
    def repeatable_read(self) -> Iterator[None]:
        """Have the project ask for what lets claims fail each other."""
        from django.db.backends.postgresql.psycopg_any import IsolationLevel

        options = connection.settings_dict["OPTIONS"]
        connection.close()
        with mock.patch.dict(options, isolation_level=IsolationLevel.REPEATABLE_READ):
            yield
            connection.close()

    def test_ours_are_read_committed_whatever_the_settings_say(self, engine):
        for _ in range(2):
            with engine.transaction():
                assert engine.ask("SHOW transaction_isolation") == [("read committed",)]

    def test_a_caller_s_own_stays_as_it_is(self, engine):
        with transaction.atomic(), engine.transaction():
            assert engine.ask("SHOW transaction_isolation") == [("repeatable read",)]


@pytest.mark.django_db
def test_a_claim_past_a_place_finds_the_other_priorities_of_its_queue(engine):
    (first,) = enqueue(engine)
    others = [new(priority=priority) for priority in (9, 1, 0, -1)]
    engine.enqueue(others)
    past = [Place(first.queue, first.priority, first.run_after, first.id)]
    found = engine.claim(["default"], 9, worker_id="w1", token=TOKEN, lease=LEASE, past=past)
    assert [job.id for job in found] == [job.id for job in others]


@pytest.mark.django_db
def test_whoever_watches_statements_meets_the_one_that_stores_many_jobs() -> None:
    met: list[str] = []

    def watch(execute: Callable[..., object], sql: str, *rest: object) -> object:
        met.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        engine_for("default").enqueue([new(), new()])
    assert any("django_jobs_job (" in sql for sql in met)
    assert Job.objects.count() == 2
