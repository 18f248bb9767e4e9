from __future__ import annotations

import threading

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from django_jobs.engines.portable import expiring
from django_jobs.engines.rows import Amended, Held
from django_jobs.models import Attempt, Job, ResultExpiry
from django_jobs.states import AttemptOutcome, Status
from tests.engines.conformance.making import (
    NOW,
    after,
    claim,
    columns,
    done,
    enqueue,
    failed,
    row,
    running,
    statuses,
)

STALE = 99


def kept(ack, seconds=10.0):
    """Return an ack of a job whose result is kept so long."""
    return ack._replace(result_ttl=seconds)


def completed(engine, seconds=10.0, **values):
    """Return a job that completed at after(2), its result kept so long."""
    job = running(engine, **values)
    assert engine.ack([kept(done(job, result="42"), seconds)]) == []
    return job


def expiries():
    return dict(ResultExpiry.objects.values_list("job_id", "expires_at"))


def last_deadlock():
    """Return what InnoDB keeps of its last deadlock, which its error does not tell; nothing elsewhere."""
    if connection.vendor != "mysql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SHOW ENGINE INNODB STATUS")
        return cursor.fetchone()[2].partition("LATEST DETECTED DEADLOCK")[2][:10_000]


@pytest.mark.django_db
class TestAckOfWhatExpires:
    def test_the_moment_is_written_with_the_ack(self, engine):
        enqueue(engine, 3)
        a, b, c = claim(engine, 3)
        assert engine.ack([kept(done(a, result="1"), 0.5), done(b, result="2"), kept(done(c), 3600)]) == []
        assert expiries() == {a.id: after(2.5), c.id: after(3602)}

    @pytest.mark.parametrize("outcome", sorted(set(AttemptOutcome) - {AttemptOutcome.COMPLETED}))
    @pytest.mark.parametrize("retry_in", [None, 0, 5])
    def test_only_a_completed_job_has_one(self, engine, outcome, retry_in):
        job = running(engine)
        assert engine.ack([kept(done(job, outcome, retry_in=retry_in))]) == []
        assert expiries() == {}

    def test_a_refused_ack_writes_none_and_the_others_do(self, engine):
        enqueue(engine, 2)
        a, b = claim(engine, 2)
        acks = [kept(done(a)), kept(done(b, token=STALE))]
        assert engine.ack(acks) == [Amended(Held(b.id, STALE), None)]
        assert list(expiries()) == [a.id]

    def test_a_completion_that_cannot_be_stored_writes_none(self, engine):
        enqueue(engine, 2)
        a, b = claim(engine, 2)
        (amended,) = engine.ack([kept(done(a)), kept(done(b, result="\ud800"))])
        assert (amended.held.id, amended.outcome.outcome) == (b.id, AttemptOutcome.FAILED)
        assert list(expiries()) == [a.id]

    def test_one_left_of_an_older_round_is_replaced(self, engine):
        job = completed(engine, 10)
        engine.requeue([job.id], now=NOW)
        ResultExpiry.objects.create(job_id=job.id, expires_at=NOW)
        (again,) = claim(engine, token=2)
        assert engine.ack([kept(done(again, result="43"), 20)]) == []
        assert expiries() == {job.id: after(22)}

    def test_a_rollback_takes_it_back(self, engine):
        job = running(engine)
        with engine.transaction():
            engine.ack([kept(done(job))])
            assert list(expiries()) == [job.id]
            transaction.set_rollback(True)
        assert expiries() == {}

    def test_a_thousand_at_once(self, engine):
        enqueue(engine, 1000)
        assert engine.ack([kept(done(job)) for job in claim(engine, 1000)]) == []
        assert len(expiries()) == 1000
        assert engine.expire(now=after(12), limit=2000) == 1000

    def test_jobs_that_keep_their_results_cost_no_statement_more(self, engine):
        job = running(engine)
        with CaptureQueriesContext(connection) as queries:
            assert engine.ack([done(job)]) == []
        assert not [each for each in queries if "expiry" in each["sql"]]


@pytest.mark.django_db
class TestRequeueOfWhatExpires:
    def test_the_new_round_has_no_moment_and_gets_its_own(self, engine):
        job, other = completed(engine, 10), completed(engine, 10, queue="other")
        engine.requeue([job.id], now=NOW)
        assert list(expiries()) == [other.id]
        (again,) = claim(engine, token=2)
        engine.ack([kept(done(again, result="43"), 30)])
        assert engine.expire(now=after(12), limit=10) == 1
        assert columns(job, "result_data") == ("43",)
        assert columns(other, "result_data") == (None,)

    def test_that_of_a_job_that_is_completed_stays(self, engine):
        job = completed(engine)
        (waiting,) = enqueue(engine)
        assert engine.requeue([waiting.id], now=NOW) == 0
        assert list(expiries()) == [job.id]

    def test_that_of_a_job_that_completes_beside_a_requeue_stays(self, engine):
        job = completed(engine)
        expiring.forget(engine, [job.id])
        assert list(expiries()) == [job.id]


@pytest.mark.django_db
class TestExpire:
    def test_a_due_result_is_removed_and_the_job_stays(self, engine):
        job, later = completed(engine, 10), completed(engine, 10.5)
        before = row(later)
        assert engine.expire(now=after(12), limit=10) == 1
        assert columns(job, "status", "result_data", "run_after") == (Status.COMPLETED, None, after(2))
        assert row(later) == before
        assert list(expiries()) == [later.id]
        assert Attempt.objects.count() == 2
        assert engine.expire(now=after(12), limit=10) == 0

    def test_those_due_longest_go_first_and_no_more_than_the_limit(self, engine):
        jobs = [completed(engine, seconds) for seconds in (30, 10, 20)]
        assert engine.expire(now=after(100), limit=2) == 2
        assert [columns(job, "result_data") for job in jobs] == [("42",), (None,), (None,)]

    @pytest.mark.parametrize("status", sorted(set(Status) - {Status.COMPLETED}))
    def test_no_other_job_is_touched(self, engine, status):
        job = completed(engine)
        Job.objects.filter(pk=job.id).update(status=status)
        before = row(job)
        assert engine.expire(now=after(100), limit=10) == 0
        assert row(job) == before

    def test_rows_whose_job_is_gone_keep_no_other_back(self, engine):
        gone, job = completed(engine, 1), completed(engine, 5)
        Job.objects.filter(pk=gone.id).delete()
        assert engine.expire(now=after(100), limit=1) == 1
        assert columns(job, "result_data") == (None,)

    def test_a_dead_letter_keeps_all_it_has(self, engine):
        job = running(engine, max_attempts=1)
        engine.ack([kept(failed(job))])
        before = row(job)
        assert engine.expire(now=after(1000), limit=10) == 0
        assert row(job) == before


@pytest.mark.django_db(transaction=True)
class TestExpiryAtOnce:
    def test_runs_requeues_expiries_and_prunes_of_the_same_jobs_never_lock_one_another_out(self, engine):
        ids = [job.id for job in enqueue(engine, 40)]
        together, errors, over = threading.Barrier(4), [], threading.Event()
        rounds = iter(range(1, 16))
        # InnoDB waits for a moment even for what SKIP LOCKED skips, and reads a table as small as this one by
        # the index of the state: now and then it undoes one of them. Every caller repeats it then.
        called = engine.repeated if connection.vendor == "mysql" else lambda verb: verb()

        def repeat(*verbs) -> None:
            try:
                together.wait()
                while not over.is_set():
                    for verb in verbs:
                        called(verb)
            except Exception as error:
                error.add_note(last_deadlock())
                errors.append(error)
            finally:
                over.set()
                connections.close_all()

        def run() -> None:
            token = next(rounds, None)
            if token is None:
                over.set()
            else:
                engine.ack([kept(done(job, result="1"), 0) for job in claim(engine, 20, token=token)])

        def requeue() -> None:
            engine.requeue(ids, now=NOW)

        def expire() -> None:
            engine.expire(now=after(5), limit=7)

        def prune() -> None:
            engine.prune(Status.COMPLETED, before=NOW, limit=7)  # all are younger: it locks, and removes none
            engine.prune(Status.COMPLETED, before=after(2.5), limit=1)

        threads = [
            threading.Thread(target=repeat, args=verbs) for verbs in ([run], [requeue], [expire], [prune])
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in errors:
            raise error
        engine.requeue(ids, now=NOW)
        assert expiries() == {}
        assert set(statuses().values()) <= {Status.READY}
