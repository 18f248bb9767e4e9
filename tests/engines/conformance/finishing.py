from __future__ import annotations

import pytest
from django.db import DataError, transaction

from django_jobs.engines.rows import Amended, Held, Released, Started
from django_jobs.models import Attempt, Job, JobError
from django_jobs.states import AttemptOutcome, ErrorKind, Status
from tests.engines.conformance.making import (
    ERROR,
    NOW,
    TOKEN,
    UNCLAIMED,
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


@pytest.mark.django_db
class TestRelease:
    def test_a_released_job_is_back_in_its_place_uncharged(self, engine):
        (job,) = enqueue(engine, priority=3)
        before = row(job)
        (claimed,) = claim(engine)
        engine.start([Started(Held(job.id, TOKEN), NOW)])
        assert engine.release([Released(Held(claimed.id, TOKEN))]).ours == 1
        assert row(job) == before
        assert not Attempt.objects.exists()

    def test_a_job_released_for_later_is_scheduled_with_the_reason(self, engine):
        job = running(engine)
        assert engine.release([Released(Held(job.id, TOKEN), after(30), "unknown function")]).ours == 1
        assert (
            row(job).items()
            >= {
                **UNCLAIMED,
                "status": Status.SCHEDULED,
                "run_after": after(30),
                "reason": "unknown function",
                "attempts": 0,
            }.items()
        )

    def test_a_stale_token_releases_nothing(self, engine):
        ours, theirs = running(engine), running(engine, token=2)
        before = row(theirs)
        assert engine.release([Released(Held(ours.id, TOKEN)), Released(Held(theirs.id, STALE))]).ours == 1
        assert row(theirs) == before

    def test_nothing_to_release_costs_nothing(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert engine.release([]).ours == 0


@pytest.mark.django_db
class TestAck:
    def test_a_completed_job_keeps_its_result_and_gives_up_its_claim(self, engine):
        job = running(engine)
        before = row(job)
        assert engine.ack([done(job, result='"ü 🛫"')]) == []
        assert row(job) == {
            **before,
            **UNCLAIMED,
            "status": Status.COMPLETED,
            "run_after": after(2),
            "attempts": 1,
            "result_data": '"ü 🛫"',
        }
        assert not JobError.objects.exists()

    def test_the_attempt_is_written_with_the_ack(self, engine):
        job = running(engine)
        engine.ack([done(job)])
        (attempt,) = Attempt.objects.values()
        assert attempt == {
            "id": attempt["id"],
            "job_id": job.id,
            "token": TOKEN,
            "round": 1,
            "number": 1,
            "outcome": "completed",
            "worker_id": "w1",
            "started_at": NOW,
            "finished_at": after(2),
            "log": None,
        }

    def test_the_error_is_written_with_the_ack(self, engine):
        job = running(engine)
        engine.ack([failed(job)])
        (error,) = JobError.objects.values()
        assert error == {
            "id": error["id"],
            "job_id": job.id,
            "token": TOKEN,
            "round": 1,
            "number": 1,
            "kind": "exception",
            "exception_type": "ValueError",
            "message": "no such order",
            "traceback": ERROR.traceback,
            "fingerprint": "f" * 16,
            "worker_id": "w1",
            "failed_at": after(2),
            "duration": 2.0,
        }

    def test_the_duration_is_unknown_where_the_start_is(self, engine):
        job = running(engine)
        engine.ack([failed(job)._replace(started_at=None)])
        assert JobError.objects.get().duration is None
        assert Attempt.objects.get().duration is None

    @pytest.mark.parametrize(
        ("retry_in", "status", "due"),
        [
            (0, Status.READY, after(2)),
            (30.5, Status.SCHEDULED, after(32.5)),
            (None, Status.DEAD, after(2)),
        ],
    )
    @pytest.mark.parametrize(
        "outcome", [AttemptOutcome.FAILED, AttemptOutcome.TIMED_OUT, AttemptOutcome.CRASHED]
    )
    def test_a_failed_run_is_charged_and_leads_where_it_says(self, engine, outcome, retry_in, status, due):
        job = running(engine)
        before = row(job)
        assert engine.ack([done(job, outcome, retry_in=retry_in, error=ERROR)]) == []
        assert row(job) == {
            **before,
            **UNCLAIMED,
            "status": status,
            "run_after": due,
            "attempts": 1,
            "error": "ValueError: no such order",
        }
        assert Attempt.objects.get().outcome == outcome

    def test_a_cancelled_run_cancels_the_job(self, engine):
        job = running(engine)
        assert engine.ack([done(job, AttemptOutcome.CANCELLED)]) == []
        assert columns(job, "status", "run_after", "attempts") == (Status.CANCELLED, after(2), 1)

    def test_an_interrupted_run_goes_back_in_place_uncharged(self, engine):
        job = running(engine, run_after=after(-5))
        before = row(job)
        assert engine.ack([done(job, AttemptOutcome.INTERRUPTED)]) == []
        assert row(job) == {**before, **UNCLAIMED, "status": Status.READY, "interruptions": 1}
        assert Attempt.objects.get().outcome == "interrupted"

    def test_an_interruption_keeps_the_error_of_the_run_before(self, engine):
        job = running(engine)
        engine.ack([failed(job, retry_in=0)])
        (again,) = claim(engine, token=2)
        engine.ack([done(again, AttemptOutcome.INTERRUPTED)])
        assert columns(job, "error") == ("ValueError: no such order",)

    def test_success_after_a_retry_clears_the_error_and_keeps_the_history(self, engine):
        job = running(engine)
        engine.ack([failed(job, retry_in=0)])
        (again,) = claim(engine, token=2)
        assert again.number == 2
        engine.ack([done(again)])
        assert columns(job, "status", "error", "attempts") == (Status.COMPLETED, None, 2)
        assert list(Attempt.objects.order_by("id").values_list("number", "outcome")) == [
            (1, "failed"),
            (2, "completed"),
        ]
        assert JobError.objects.count() == 1

    def test_outcomes_of_every_sort_are_written_at_once(self, engine):
        enqueue(engine, 4)
        a, b, c, d = claim(engine, 4)
        acks = [done(a, result="1"), failed(b, 5), failed(c), done(d, AttemptOutcome.INTERRUPTED)]
        assert engine.ack(acks) == []
        assert statuses() == {a.id: "completed", b.id: "scheduled", c.id: "dead", d.id: "ready"}
        assert (Attempt.objects.count(), JobError.objects.count()) == (4, 2)

    def test_a_refused_ack_writes_nothing_and_keeps_none_of_the_others_back(self, engine):
        enqueue(engine, 3)
        a, b, c = claim(engine, 3)
        before = row(b)
        stale = failed(b)._replace(outcome=failed(b).outcome._replace(token=STALE))
        assert engine.ack([done(a), stale, failed(c)]) == [Amended(Held(b.id, STALE), None)]
        assert row(b) == before
        assert statuses() == {a.id: "completed", b.id: "running", c.id: "dead"}
        assert not Attempt.objects.filter(job_id=b.id).exists()
        assert not JobError.objects.filter(job_id=b.id).exists()

    def test_a_second_ack_is_refused(self, engine):
        job = running(engine)
        assert engine.ack([done(job, result="1")]) == []
        before = row(job)
        assert engine.ack([failed(job)]) == [Amended(Held(job.id, TOKEN), None)]
        assert row(job) == before
        assert Attempt.objects.count() == 1

    def test_the_same_ack_twice_in_one_list_is_written_once(self, engine):
        job = running(engine)
        assert engine.ack([done(job), done(job)]) == [Amended(Held(job.id, TOKEN), None)]
        assert Attempt.objects.count() == 1

    def test_a_late_ack_of_a_rescued_job_is_refused(self, engine):
        job = running(engine)
        assert len(engine.rescue(now=after(61), limit=10)) == 1
        before = row(job)
        assert engine.ack([done(job)]) == [Amended(Held(job.id, TOKEN), None)]
        assert row(job) == before

    def test_a_stale_run_cannot_complete_a_job_claimed_again(self, engine):
        job = running(engine)
        engine.rescue(now=after(61), limit=10)
        (again,) = claim(engine, token=2)
        assert engine.ack([done(job, result='"stale"')]) == [Amended(Held(job.id, TOKEN), None)]
        assert engine.ack([done(again, result='"fresh"')]) == []
        assert columns(job, "result_data") == ('"fresh"',)

    def test_the_ack_of_a_deleted_job_is_refused(self, engine):
        job = running(engine)
        Job.objects.filter(pk=job.id).delete()
        assert engine.ack([done(job)]) == [Amended(Held(job.id, TOKEN), None)]
        assert not Attempt.objects.exists()

    def test_a_thousand_at_once(self, engine):
        enqueue(engine, 1000)
        assert engine.ack([done(job) for job in claim(engine, 1000)]) == []
        assert Job.objects.completed().count() == Attempt.objects.count() == 1000

    def test_a_rollback_takes_acks_back(self, engine):
        job = running(engine)
        before = row(job)
        with engine.transaction():
            assert engine.ack([done(job)]) == []
            transaction.set_rollback(True)
        assert row(job) == before
        assert not Attempt.objects.exists()

    def test_nothing_to_ack_costs_nothing(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert engine.ack([]) == []


@pytest.mark.django_db
class TestAckOfWhatCannotBeStored:
    def test_the_culprit_becomes_a_failed_attempt_and_the_others_are_written(self, engine):
        enqueue(engine, 3)
        a, b, c = claim(engine, 3)
        (amended,) = engine.ack([done(a), done(b, result='"\ud800"'), failed(c, 0)])
        assert amended.held == Held(b.id, TOKEN)
        assert amended.outcome.outcome is AttemptOutcome.FAILED
        assert amended.outcome.error.kind is ErrorKind.STORAGE
        assert statuses() == {a.id: "completed", b.id: "scheduled", c.id: "ready"}
        error = JobError.objects.get(job_id=b.id)
        assert (error.kind, error.exception_type) == (ErrorKind.STORAGE, "UnicodeEncodeError")
        assert "cannot be stored" in error.message
        assert columns(b, "attempts", "result_data", "error") == (1, None, error.error)
        assert Attempt.objects.get(job_id=b.id).outcome == "failed"

    def test_the_culprit_is_dead_after_its_last_attempt(self, engine):
        job = running(engine, max_attempts=1)
        (amended,) = engine.ack([done(job, result="\ud800")])
        assert amended.outcome.final
        assert statuses() == {job.id: "dead"}

    def test_a_culprit_that_is_not_ours_any_more_is_refused(self, engine):
        job = running(engine)
        before = row(job)
        assert engine.ack([done(job, token=STALE, result="\ud800")]) == [Amended(Held(job.id, STALE), None)]
        assert row(job) == before

    def test_what_cannot_be_stored_even_as_a_failure_is_dropped_and_logged(self, engine, caplog):
        enqueue(engine, 2)
        a, b = claim(engine, 2)
        before = row(a)
        assert engine.ack([done(a, worker_id="\ud800"), done(b)]) == [Amended(Held(a.id, TOKEN), None)]
        assert row(a) == before
        assert statuses()[b.id] == "completed"
        assert str(a.id) in caplog.text

    @pytest.mark.django_db(transaction=True)
    def test_where_all_was_undone_nothing_is_taken_for_written(self, engine):
        def undo(execute, sql, *args):
            if "INTO" in sql and "django_jobs_attempt" in sql:
                engine.connection.connection.rollback()  # as InnoDB does when it has no room for locks
                raise DataError("about this row, one could think")
            return execute(sql, *args)

        enqueue(engine, 2)
        a, b = claim(engine, 2)
        with engine.connection.execute_wrapper(undo), pytest.raises(DataError):
            engine.ack([done(a), done(b)])
        assert statuses() == {a.id: "running", b.id: "running"}
        engine.ack([done(a), done(b)])
        assert statuses() == {a.id: "completed", b.id: "completed"}


@pytest.mark.django_db
class TestCancel:
    def test_pending_jobs_are_cancelled_and_counted_once(self, engine):
        (ready,) = enqueue(engine)
        (later,) = enqueue(engine, status=Status.SCHEDULED, run_after=after(9), reason="unknown function")
        busy = running(engine, queue="other")
        assert engine.cancel([ready.id, later.id, busy.id, ready.id], now=after(1)) == 2
        assert columns(later, "status", "run_after", "reason") == (Status.CANCELLED, after(1), "")
        assert statuses()[busy.id] == "running"

    def test_a_thousand_at_once(self, engine):
        jobs = enqueue(engine, 1000)
        assert engine.cancel([job.id for job in jobs], now=NOW) == 1000

    def test_nothing_to_cancel_costs_nothing(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert engine.cancel([], now=NOW) == 0


@pytest.mark.django_db
class TestRequeue:
    def test_a_requeued_job_begins_a_new_round_and_keeps_its_history(self, engine):
        job = running(engine, max_attempts=1, priority=4)
        engine.ack([failed(job)])
        assert engine.requeue([job.id], now=after(10)) == 1
        assert (
            row(job).items()
            >= {
                **UNCLAIMED,
                "status": Status.READY,
                "run_after": after(10),
                "round": 2,
                "attempts": 0,
                "interruptions": 0,
                "holds": 0,
                "reason": "",
                "error": None,
                "result_data": None,
                "priority": 4,
            }.items()
        )
        assert (Attempt.objects.count(), JobError.objects.count()) == (1, 1)
        (again,) = claim(engine, token=2)
        assert (again.round, again.number) == (2, 1)
        assert engine.ack([done(again)]) == []
        assert list(Attempt.objects.order_by("id").values_list("round", "number")) == [(1, 1), (2, 1)]

    def test_the_result_of_a_completed_job_is_cleared(self, engine):
        job = running(engine)
        engine.ack([done(job, result="42")])
        assert engine.requeue([job.id], now=NOW) == 1
        assert columns(job, "status", "result_data") == (Status.READY, None)

    def test_a_job_that_was_cancelled_while_waiting_holds_nothing(self, engine):
        (job,) = enqueue(engine, status=Status.WAITING, holds=2, reason="a parent")
        engine.cancel([job.id], now=NOW)
        assert engine.requeue([job.id], now=NOW) == 1
        assert columns(job, "status", "holds", "reason") == (Status.READY, 0, "")

    def test_nothing_to_requeue_costs_nothing(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert engine.requeue([], now=NOW) == 0
