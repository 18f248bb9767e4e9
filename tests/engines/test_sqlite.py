"""SQLite's own engine."""

from __future__ import annotations

import threading
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.db.backends.sqlite3.base import SQLiteCursorWrapper
from django.test.utils import CaptureQueriesContext

from django_jobs.engines import Engine, engine_for
from django_jobs.engines.portable.statements import ROW_BY_ROW
from django_jobs.engines.sqlite import SQLiteEngine, statements
from django_jobs.models import Attempt, Job
from django_jobs.states import Status
from tests.engines.conformance import *  # noqa: F403
from tests.engines.conformance.making import NOW, after, claim, columns, done, enqueue
from tests.engines.conformance.plans import TestPlansOfWhatWasSmall  # noqa: F401

pytestmark = pytest.mark.only_on("sqlite")


@pytest.fixture
def engine() -> Engine:
    return SQLiteEngine("default")


class _Writer(threading.Thread):
    """Another connection that changes one job between two statements of ours."""

    def __init__(self, job_id) -> None:
        super().__init__()
        self.job_id, self.errors = job_id, []

    def run(self) -> None:
        try:
            connection.ensure_connection()
            connection.connection.execute("PRAGMA busy_timeout = 50")
            Job.objects.filter(pk=self.job_id).update(reason="written meanwhile")
        except OperationalError as error:
            self.errors.append(error)
        finally:
            connection.close()


@pytest.mark.django_db(transaction=True)
class TestTransaction:
    def test_nobody_writes_between_our_read_and_our_write_whatever_the_settings_say(self, engine):
        (job,) = enqueue(engine)
        connection.ensure_connection()
        with mock.patch.object(connection, "transaction_mode", None):
            with engine.transaction():
                assert Job.objects.ready().count() == 1
                other = _Writer(job.id)
                other.start()
                other.join()
                assert len(claim(engine)) == 1
            assert connection.transaction_mode is None
        assert len(other.errors) == 1
        assert columns(job, "status", "reason") == ("running", "")

    def test_an_exception_rolls_back_and_leaves_the_mode_as_it_was(self, engine):
        connection.ensure_connection()
        with mock.patch.object(connection, "transaction_mode", None):
            with pytest.raises(ZeroDivisionError), engine.transaction():
                enqueue(engine) and 1 / 0
            assert connection.transaction_mode is None
        assert not Job.objects.exists()


@pytest.mark.django_db
class TestHotStatements:
    def test_a_batch_of_completed_jobs_costs_two_statements_within_one_savepoint(
        self, engine, django_assert_num_queries
    ):
        enqueue(engine, 50)
        acks = [done(job) for job in claim(engine, 50)]
        with django_assert_num_queries(4):
            assert engine.ack(acks) == []

    @pytest.mark.parametrize("statement", statements.MEND_DUE)
    def test_spoilt_due_times_are_looked_for_at_the_ends_of_the_index(self, engine, statement):
        plan = " ".join(map(str, engine.ask(f"EXPLAIN QUERY PLAN {statement}")))
        assert "django_jobs_due (status=? AND run_after" in plan

    def test_the_placeholders_of_a_statement_are_looked_for_once(self, engine):
        enqueue(engine)
        with mock.patch.object(SQLiteCursorWrapper, "convert_query", side_effect=AssertionError):
            enqueue(engine)
        assert Job.objects.count() == 2

    def test_whoever_watches_statements_sees_them_as_they_were_written(self, engine):
        seen = []

        def watch(execute, sql, params, many, context):
            seen.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(watch), CaptureQueriesContext(connection) as logged:
            (job,) = enqueue(engine)
        assert seen == [ROW_BY_ROW.insert_job]
        (query,) = logged
        assert job.id.hex in query["sql"]

    def test_the_vendor_s_engine_is_the_one_in_use(self):
        assert type(engine_for("default")) is SQLiteEngine


@pytest.mark.django_db
@pytest.mark.parametrize("spoilt", ["", "0", 7, b"\xff"])
def test_a_spoilt_due_time_keeps_no_other_job_from_its_promotion(engine: Engine, spoilt: object) -> None:
    bad, good = enqueue(engine, 2, status=Status.SCHEDULED, run_after=after(-1))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_jobs_job SET run_after = %s WHERE id = %s", [spoilt, bad.id.hex])
    assert engine.next_due() <= NOW
    engine.promote(now=NOW, limit=10)
    assert Job.objects.get(pk=good.id).status == "ready"


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["id", "args", "options", "run_after"])
def test_text_that_is_no_utf_8_keeps_no_other_job_from_its_claim(engine: Engine, column: str) -> None:
    bad, good = enqueue(engine, 2)
    with connection.cursor() as cursor:
        spoil = f"UPDATE django_jobs_job SET {column} = CAST(%s AS TEXT) WHERE id = %s"
        cursor.execute(spoil, [b"\xff", bad.id.hex])
    claimed = claim(engine, 2)
    assert len(claimed) == 2
    assert good.id in {job.id for job in claimed}
    assert Job.objects.filter(status=Status.RUNNING, claim_token=claimed[0].token).count() == 2


@pytest.mark.django_db
def test_a_claim_that_marks_nothing_because_of_an_error_raises_it(engine: Engine) -> None:
    enqueue(engine, 2)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TRIGGER refuses BEFORE UPDATE ON django_jobs_job "
            "BEGIN SELECT no_function_of_this_name(); END"
        )
    with pytest.raises(OperationalError, match="no_function_of_this_name"):
        claim(engine, 2)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["no id", 7, b"\xff"])
def test_a_final_job_whose_id_is_none_is_pruned_with_what_belongs_to_it(engine: Engine, name: object) -> None:
    enqueue(engine, 2)
    jobs = claim(engine, 2)
    engine.ack([done(job) for job in jobs])
    with connection.cursor() as cursor:
        for table, column in (("job", "id"), ("attempt", "job_id")):
            cursor.execute(
                f"UPDATE django_jobs_{table} SET {column} = %s WHERE {column} = %s", [name, jobs[0].id.hex]
            )
    assert engine.prune(Status.COMPLETED, before=after(3600), limit=1) == 1
    assert engine.prune(Status.COMPLETED, before=after(3600), limit=1) == 1
    assert not Job.objects.exists()
    assert not Attempt.objects.exists()
