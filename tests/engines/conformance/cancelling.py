from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from django_jobs.engines import Engine
from django_jobs.engines.rows import Amended, Cancel, ClaimedJob, Held, Released, Returned, Started
from django_jobs.models import Attempt, Job, JobError
from django_jobs.states import AttemptOutcome, CancelRequest, Status
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

JOBS = 30


def asked(engine: Engine, *, force: bool = False, **values: Any) -> ClaimedJob:
    """Return a running job that somebody wants cancelled."""
    job = running(engine, **values)
    assert engine.ask_cancel([job.id], force=force) == 1
    return job


@pytest.mark.django_db
class TestAskCancel:
    @pytest.mark.parametrize(("force", "level"), [(False, CancelRequest.ASKED), (True, CancelRequest.FORCED)])
    def test_a_running_job_is_marked_and_goes_on(self, engine, force, level):
        job = running(engine)
        before = row(job)
        assert engine.ask_cancel([job.id, job.id], force=force) == 1
        assert row(job) == {**before, "cancel_requested": level}

    @pytest.mark.parametrize("status", sorted(set(Status) - {Status.RUNNING}))
    def test_any_other_is_left_alone(self, engine, status):
        (job,) = enqueue(engine)
        Job.objects.filter(pk=job.id).update(status=status)
        before = row(job)
        assert engine.ask_cancel([job.id], force=True) == 0
        assert row(job) == before

    def test_who_asks_again_asks_nothing_new(self, engine):
        job = asked(engine)
        assert engine.ask_cancel([job.id], force=False) == 0
        assert engine.ask_cancel([job.id], force=True) == 1
        assert engine.ask_cancel([job.id], force=True) == 0

    def test_force_is_not_taken_back_by_a_gentler_word(self, engine):
        job = asked(engine, force=True)
        assert engine.ask_cancel([job.id], force=False) == 0
        assert columns(job, "cancel_requested") == (CancelRequest.FORCED,)

    def test_a_thousand_at_once(self, engine):
        enqueue(engine, 1000)
        assert engine.ask_cancel([job.id for job in claim(engine, 1000)], force=False) == 1000

    def test_nothing_to_ask_costs_nothing(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert engine.ask_cancel([], force=False) == 0


@pytest.mark.django_db
class TestCancels:
    def test_a_worker_reads_what_is_asked_of_its_own_running_jobs(self, engine):
        gently, forced = asked(engine), asked(engine, force=True, token=2)
        running(engine, token=3)
        enqueue(engine)
        assert sorted(engine.cancels("w1")) == sorted(
            [Cancel(Held(gently.id, TOKEN), forced=False), Cancel(Held(forced.id, 2), forced=True)]
        )
        assert engine.cancels("w2") == []

    def test_it_is_one_statement(self, engine, django_assert_num_queries):
        asked(engine)
        with django_assert_num_queries(1):
            assert len(engine.cancels("w1")) == 1

    def test_what_has_ended_is_asked_no_more(self, engine):
        engine.ack([done(asked(engine))])
        assert engine.cancels("w1") == []


@pytest.mark.django_db
class TestEndOfWhatIsToBeCancelled:
    """Whatever way a run ends that somebody wants cancelled: it is not run again."""

    @pytest.mark.parametrize("force", [False, True])
    def test_a_released_one_is_cancelled_without_an_attempt(self, engine, force):
        job = asked(engine, force=force)
        before = row(job)
        read = engine.read_clock()
        assert engine.release([Released(Held(job.id, TOKEN))]).ours == 1
        run_after = row(job)["run_after"]
        assert row(job) == {
            **before,
            **UNCLAIMED,
            "status": Status.CANCELLED,
            "run_after": run_after,
            "cancel_requested": 0,
        }
        assert read <= run_after < read + timedelta(minutes=1)
        assert not Attempt.objects.exists()

    def test_one_released_for_later_is_cancelled_without_the_reason(self, engine):
        job = asked(engine)
        engine.release([Released(Held(job.id, TOKEN), after(30), "unknown function")])
        assert columns(job, "status", "reason") == (Status.CANCELLED, "")

    def test_only_those_asked_for_are_cancelled(self, engine):
        enqueue(engine, 3)
        a, b, c = claim(engine, 3)
        engine.ask_cancel([b.id], force=False)
        returned = engine.release([Released(Held(job.id, TOKEN)) for job in (a, b, c)])
        assert returned == Returned(3, (Held(b.id, TOKEN),))
        assert statuses() == {a.id: "ready", b.id: "cancelled", c.id: "ready"}

    @pytest.mark.parametrize("retry_in", [0, 30.5, None])
    @pytest.mark.parametrize(
        "outcome", [AttemptOutcome.FAILED, AttemptOutcome.TIMED_OUT, AttemptOutcome.CRASHED]
    )
    def test_a_failed_one_is_cancelled_with_its_history_and_told(self, engine, outcome, retry_in):
        job = asked(engine)
        before = row(job)
        ack = done(job, outcome, retry_in=retry_in, error=ERROR)
        assert engine.ack([ack]) == [Amended(Held(job.id, TOKEN), ack.outcome, cancelled=True)]
        assert row(job) == {
            **before,
            **UNCLAIMED,
            "status": Status.CANCELLED,
            "run_after": after(2),
            "attempts": 1,
            "error": "ValueError: no such order",
            "cancel_requested": 0,
        }
        assert Attempt.objects.get().outcome == outcome
        assert JobError.objects.count() == 1

    def test_an_interrupted_one_is_cancelled_uncharged(self, engine):
        job = asked(engine)
        ack = done(job, AttemptOutcome.INTERRUPTED)
        assert engine.ack([ack]) == [Amended(Held(job.id, TOKEN), ack.outcome, cancelled=True)]
        assert columns(job, "status", "run_after", "attempts", "interruptions", "cancel_requested") == (
            Status.CANCELLED,
            after(2),
            0,
            1,
            0,
        )
        assert Attempt.objects.get().outcome == "interrupted"

    def test_a_completed_one_stays_completed(self, engine):
        job = asked(engine)
        assert engine.ack([done(job, result="42")]) == []
        assert columns(job, "status", "result_data", "cancel_requested") == (Status.COMPLETED, "42", 0)

    def test_one_that_was_cancelled_as_asked_is_written_as_it_was_given(self, engine):
        job = asked(engine)
        assert engine.ack([done(job, AttemptOutcome.CANCELLED)]) == []
        assert columns(job, "status", "attempts", "cancel_requested") == (Status.CANCELLED, 1, 0)

    def test_one_that_cannot_be_stored_is_a_failure_and_cancelled(self, engine):
        job = asked(engine)
        (amended,) = engine.ack([done(job, result="\ud800")])
        assert (amended.outcome.outcome, amended.cancelled) == (AttemptOutcome.FAILED, True)
        assert statuses() == {job.id: "cancelled"}

    def test_the_others_of_its_batch_are_written_as_ever(self, engine):
        enqueue(engine, 4)
        a, b, c, d = claim(engine, 4)
        engine.ask_cancel([b.id], force=False)
        acks = [done(a, result="1"), failed(b, 5), failed(c, 5), done(d, AttemptOutcome.INTERRUPTED)]
        assert [one.held.id for one in engine.ack(acks)] == [b.id]
        assert statuses() == {a.id: "completed", b.id: "cancelled", c.id: "scheduled", d.id: "ready"}
        assert (Attempt.objects.count(), JobError.objects.count()) == (4, 2)

    def test_a_stale_token_ends_nothing(self, engine):
        job = asked(engine)
        before = row(job)
        assert engine.release([Released(Held(job.id, 99))]).ours == 0
        assert engine.ack([done(job, token=99)]) == [Amended(Held(job.id, 99), None)]
        assert row(job) == before

    @pytest.mark.parametrize(("started", "outcome"), [(False, "interrupted"), (True, "crashed")])
    def test_one_that_lost_its_worker_is_cancelled_by_the_rescuer(self, engine, started, outcome):
        job = asked(engine)
        if started:
            engine.start([Started(Held(job.id, TOKEN), NOW)])
        (rescued,) = engine.rescue(now=after(61), limit=10)
        assert (rescued.status, rescued.outcome) == (Status.CANCELLED, outcome)
        assert columns(job, "status", "run_after", "cancel_requested") == (Status.CANCELLED, after(61), 0)
        assert Attempt.objects.get().outcome == outcome

    def test_a_requeued_one_is_asked_nothing(self, engine):
        job = asked(engine)
        engine.ack([done(job, AttemptOutcome.CANCELLED)])
        # As a worker leaves it that does not know the column.
        Job.objects.filter(pk=job.id).update(cancel_requested=CancelRequest.ASKED)
        assert engine.requeue([job.id], now=after(10)) == 1
        (again,) = claim(engine, token=2)
        assert columns(again, "cancel_requested") == (0,)


ENDS: dict[str, tuple[Callable[[Engine, ClaimedJob], Any], set[str]]] = {
    "completed": (lambda e, job: e.ack([done(job)]), {"completed", "cancelled"}),
    "retried": (lambda e, job: e.ack([failed(job, 0)]), {"cancelled"}),
    "buried": (lambda e, job: e.ack([failed(job)]), {"dead", "cancelled"}),
    "interrupted": (lambda e, job: e.ack([done(job, AttemptOutcome.INTERRUPTED)]), {"cancelled"}),
    "released": (lambda e, job: e.release([Released(Held(job.id, TOKEN))]), {"cancelled"}),
    "rescued": (lambda e, job: e.rescue(now=after(61), limit=1), {"cancelled"}),
}


@pytest.mark.django_db(transaction=True)
class TestCancelsAtOnce:
    def test_a_job_that_is_being_claimed_is_cancelled_or_asked(self, engine):
        ids = [job.id for job in enqueue(engine, JOBS)]
        taken: list[ClaimedJob] = []

        def claim_all() -> None:
            while jobs := claim(engine, 2):
                taken.extend(jobs)

        changed = _at_once(claim_all, lambda: _cancel(engine, ids))
        found = set(Job.objects.values_list("status", "cancel_requested"))
        assert found <= {("cancelled", 0), ("running", 1)}
        assert changed == JOBS
        assert Job.objects.running().count() == len(taken)

    @pytest.mark.parametrize("way", ENDS)
    def test_a_job_whose_run_is_ending_is_not_run_again(self, engine, way):
        end, may_be = ENDS[way]
        enqueue(engine, JOBS)
        jobs = claim(engine, JOBS)

        def end_all() -> None:
            for job in jobs:
                end(engine, job)

        changed = _at_once(end_all, lambda: _cancel(engine, [job.id for job in jobs]))
        found = list(Job.objects.values_list("status", "cancel_requested", "claim_token"))
        assert {status for status, _, _ in found} <= may_be
        assert {(asked, token) for _, asked, token in found} == {(0, None)}
        assert changed >= sum(status == "cancelled" for status, _, _ in found)


def _cancel(engine: Engine, ids: list[Any]) -> int:
    """Cancel one after the other, whatever each is doing, as the client does."""
    changed = 0
    for job_id in ids:
        with engine.transaction():
            changed += engine.ask_cancel([job_id], force=False) + engine.cancel([job_id], now=NOW)
    return changed


def _at_once(other: Callable[[], None], ours: Callable[[], int]) -> int:
    """Do one thing on another connection while doing the other on this; return what this one returned."""
    together, failures = threading.Barrier(2, timeout=20), []

    def work() -> None:
        try:
            together.wait()
            other()
        except Exception as failure:
            failures.append(failure)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    together.wait()
    try:
        return ours()
    finally:
        thread.join()
        assert failures == []
