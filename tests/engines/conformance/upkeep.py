from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from django_jobs.engines.rows import Held, Lease, Rescued, Started
from django_jobs.models import Attempt, Job, JobError
from django_jobs.states import AttemptOutcome, Status
from tests.engines.conformance.making import (
    LEASE,
    NOW,
    TOKEN,
    UNCLAIMED,
    after,
    claim,
    columns,
    done,
    enqueue,
    row,
    running,
    statuses,
)


@pytest.mark.django_db
class TestClock:
    def test_the_clock_is_aware_in_utc_and_goes_on(self, engine):
        first, second = engine.read_clock(), engine.read_clock()
        assert first.utcoffset() == timedelta(0)
        assert first <= second
        # The servers the tests run on share this machine's clock.
        assert abs(second - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.django_db
class TestPromote:
    def test_due_jobs_become_ready_and_others_stay(self, engine):
        (due,) = enqueue(engine, status=Status.SCHEDULED, run_after=NOW, reason="unknown function")
        (later,) = enqueue(engine, status=Status.SCHEDULED, run_after=after(0.001))
        before = row(due)
        assert engine.promote(now=NOW, limit=10) == 1
        assert row(due) == {**before, "status": Status.READY, "reason": ""}
        assert statuses()[later.id] == "scheduled"

    def test_the_longest_due_are_promoted_first(self, engine):
        enqueue(engine, status=Status.SCHEDULED, run_after=after(-1))
        (oldest,) = enqueue(engine, status=Status.SCHEDULED, run_after=after(-2))
        assert engine.promote(now=NOW, limit=1) == 1
        assert [job.pk for job in Job.objects.ready()] == [oldest.id]

    def test_a_thousand_at_once(self, engine):
        enqueue(engine, 1000, status=Status.SCHEDULED)
        assert engine.promote(now=NOW, limit=2000) == 1000


@pytest.mark.django_db
class TestNextDue:
    def test_the_earliest_scheduled_job_says_when(self, engine):
        for seconds in (20, 10, 30):
            enqueue(engine, status=Status.SCHEDULED, run_after=after(seconds))
        enqueue(engine, run_after=after(-1))
        assert engine.next_due() == after(10)

    def test_nothing_scheduled_is_none(self, engine):
        enqueue(engine)
        assert engine.next_due() is None


@pytest.mark.django_db
class TestRescue:
    def test_a_started_job_crashed_and_is_charged(self, engine):
        job = running(engine)
        engine.start([Started(Held(job.id, TOKEN), after(1))])
        before = row(job)
        (rescued,) = engine.rescue(now=after(61), limit=10)
        status = Status(row(job)["status"])
        assert told(rescued) == (job.id, job.function, job.queue, "w1", status, AttemptOutcome.CRASHED)
        error = JobError.objects.get()
        assert (error.kind, error.exception_type) == ("crash", "WorkerLost")
        assert (error.number, error.round, error.token, error.worker_id) == (1, 1, TOKEN, "w1")
        assert (error.failed_at, error.duration) == (after(61), 60.0)
        assert "w1" in error.message
        assert Attempt.objects.get().outcome == "crashed"
        due = columns(job, "run_after")[0]
        assert row(job) == {
            **before,
            **UNCLAIMED,
            "status": Status.SCHEDULED,
            "run_after": due,
            "attempts": 1,
            "error": error.error,
        }
        assert due > after(61)

    def test_the_policy_on_the_row_says_when_it_is_tried_again(self, engine):
        options = '{"retry_delay": ' + _fixed(30) + "}"
        job = running(engine, options=options)
        engine.start([Started(Held(job.id, TOKEN), NOW)])
        engine.rescue(now=after(61), limit=10)
        assert columns(job, "status", "run_after") == (Status.SCHEDULED, after(91))

    def test_corrupt_options_do_not_keep_a_job_from_being_rescued(self, engine):
        job = running(engine, options="{no json")
        engine.start([Started(Held(job.id, TOKEN), NOW)])
        assert len(engine.rescue(now=after(61), limit=10)) == 1
        assert statuses() == {job.id: "scheduled"}

    def test_the_last_attempt_s_crash_buries_the_job(self, engine):
        job = running(engine, max_attempts=1)
        engine.start([Started(Held(job.id, TOKEN), NOW)])
        (rescued,) = engine.rescue(now=after(61), limit=10)
        assert (rescued.status, rescued.outcome) == (Status.DEAD, AttemptOutcome.CRASHED)
        assert columns(job, "status", "run_after", "attempts") == (Status.DEAD, after(61), 1)

    def test_a_job_that_had_not_started_is_interrupted_and_back_in_place(self, engine):
        job = running(engine, max_attempts=1, run_after=after(-3))
        before = row(job)
        (rescued,) = engine.rescue(now=after(61), limit=10)
        assert told(rescued)[3:] == ("w1", Status.READY, AttemptOutcome.INTERRUPTED)
        assert row(job) == {**before, **UNCLAIMED, "status": Status.READY, "interruptions": 1}
        assert not JobError.objects.exists()
        assert Attempt.objects.values_list("outcome", "number", "started_at").get() == (
            "interrupted",
            1,
            None,
        )

    def test_the_sixth_death_of_a_job_that_never_started_is_charged(self, engine):
        job = running(engine, max_attempts=1)
        for token in range(1, 6):
            assert [lost.outcome.charged for lost in engine.rescue(now=after(61), limit=10)] == [False]
            claim(engine, token=token)
        assert [lost.outcome.charged for lost in engine.rescue(now=after(61), limit=10)] == [True]
        assert statuses() == {job.id: "dead"}
        assert list(Attempt.objects.order_by("id").values_list("number", flat=True)) == [1] * 6

    def test_a_good_lease_keeps_a_job(self, engine):
        job = running(engine)
        before = row(job)
        assert engine.rescue(now=LEASE, limit=10) == []
        assert row(job) == before

    def test_a_renewed_lease_keeps_a_job(self, engine):
        job = running(engine)
        engine.renew([Held(job.id, TOKEN)], lease=after(120))
        assert engine.rescue(now=after(61), limit=10) == []

    def test_no_more_than_the_limit(self, engine):
        enqueue(engine, 5)
        claim(engine, 5)
        assert len(engine.rescue(now=after(61), limit=3)) == 3
        assert sorted(statuses().values()) == ["ready"] * 3 + ["running"] * 2

    def test_those_that_are_over_are_taken_whatever_the_clock_says_and_no_others(self, engine):
        over, other = running(engine), running(engine, token=2)
        assert engine.rescue(now=after(61), limit=10, over=[]) == []
        (rescued,) = engine.rescue(now=NOW, limit=10, over=[Lease(TOKEN, LEASE), Lease(3, LEASE)])
        assert rescued.id == over.id
        assert statuses()[other.id] == "running"

    def test_one_that_was_renewed_since_it_was_looked_at_is_not_over(self, engine):
        job = running(engine)
        engine.renew([Held(job.id, TOKEN)], lease=after(30))
        assert engine.rescue(now=after(61), limit=10, over=[Lease(TOKEN, LEASE)]) == []


@pytest.mark.django_db
class TestLeases:
    def test_every_tokens_lease_is_told_once(self, engine):
        assert engine.leases() == []
        enqueue(engine, 3)
        claim(engine, 3)
        running(engine, token=2)
        assert sorted(engine.leases()) == [(2, LEASE), (TOKEN, LEASE)]

    def test_only_of_what_runs(self, engine):
        job = running(engine)
        engine.ack([done(job)])
        enqueue(engine)
        assert engine.leases() == []


@pytest.mark.django_db
class TestNoteWatched:
    def test_the_note_stands_in_the_place_of_the_lease(self, engine):
        enqueue(engine, 2)
        claim(engine, 2)
        running(engine, token=2)
        engine.note_watched({Lease(TOKEN, LEASE): NOW})
        assert sorted(engine.leases()) == [(2, LEASE), (TOKEN, NOW)]

    def test_what_was_renewed_meanwhile_or_has_ended_keeps_what_it_says(self, engine):
        job, ended = running(engine), running(engine, token=2)
        engine.renew([Held(job.id, TOKEN)], lease=after(90))
        engine.ack([done(ended)])
        engine.note_watched({Lease(TOKEN, LEASE): NOW, Lease(2, LEASE): NOW})
        assert engine.leases() == [Lease(TOKEN, after(90))]
        assert Job.objects.get(pk=ended.id).lease is None


def told(rescued: Rescued) -> tuple[object, ...]:
    return (*rescued[:3], rescued.worker_id, rescued.status, rescued.outcome)


def _fixed(seconds: float) -> str:
    import json

    from django_jobs import policies

    return json.dumps(policies.to_json(policies.fixed(seconds)))
