from __future__ import annotations

import pytest
from django.db import Error, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from django_jobs.models import Job
from django_jobs.states import Status
from tests.engines.conformance.making import NOW, UNCLAIMED, after, columns, enqueue, new, row


@pytest.mark.django_db
class TestEnqueue:
    def test_every_column_is_stored_as_given(self, engine):
        job = new(
            queue="mail",
            status=Status.WAITING,
            priority=-10,
            run_after=after(0.123456),
            args='{"args": ["ü \\u0000 🛫 %s \' \\\\"], "kwargs": {}}',
            options='{"description": "x"}',
            max_attempts=5,
            timeout=None,
            holds=2,
            reason="waits for 2 jobs",
        )
        engine.enqueue([job])
        assert row(job) == {
            **job._asdict(),
            **UNCLAIMED,
            "round": 1,
            "attempts": 0,
            "interruptions": 0,
            "result_data": None,
            "replayed_as": None,
            "replay_of": None,
            "cancel_requested": 0,
            "error": None,
        }

    def test_many_are_stored_as_one_is(self, engine):
        alone, *others = (new(priority=number) for number in range(3))
        engine.enqueue([alone])
        engine.enqueue(others)
        for job in others:
            assert row(job) == {**row(alone), "id": job.id, "priority": job.priority}

    @pytest.mark.parametrize("text", ["\\N", "\\.", "a\tb\nc\rd\\", "\\\\x41", "%s ' \" ü 🛫", ""])
    def test_no_text_means_anything_to_the_database_when_many_are_stored(self, engine, text):
        jobs = [new(args=text, options=options, reason=text) for options in (text, None)]
        engine.enqueue(jobs)
        for job in jobs:
            assert columns(job, "args", "options", "reason") == (text, job.options, text)

    def test_many_may_differ_in_every_column(self, engine):
        one = new(queue="mail", priority=3, run_after=after(0.5), max_attempts=9, timeout=1.5, options="{}")
        other = new(status=Status.WAITING, holds=1, reason="r", run_after=after(0), timeout=None)
        jobs = [one, other, one._replace(id=new().id)]
        engine.enqueue(jobs)
        for job in jobs:
            assert columns(job, *job._fields) == tuple(job)

    def test_one_that_cannot_be_stored_undoes_the_others_and_nothing_else(self, engine):
        engine.enqueue([new()])
        with transaction.atomic():
            with pytest.raises((Error, OverflowError)):
                engine.enqueue([new(), new(priority=2**70)])
            engine.enqueue([new()])
        assert Job.objects.count() == 2

    def test_nothing_to_enqueue_costs_nothing(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            engine.enqueue([])

    def test_a_thousand_jobs_take_as_many_statements_as_ten(self, engine):
        with CaptureQueriesContext(connection) as ten:
            enqueue(engine, 10)
        with CaptureQueriesContext(connection) as thousand:
            enqueue(engine, 1000)
        assert len(thousand) == len(ten)
        assert Job.objects.count() == 1010

    def test_all_are_stored_or_none(self, engine):
        jobs = [new() for _ in range(10)]
        with pytest.raises(IntegrityError), transaction.atomic():
            engine.enqueue([*jobs, jobs[0]])
        assert not Job.objects.exists()

    @pytest.mark.parametrize("count", [1, 2])
    def test_a_rollback_leaves_none(self, engine, count):
        with transaction.atomic():
            enqueue(engine, count)
            assert Job.objects.count() == count
            transaction.set_rollback(True)
        assert not Job.objects.exists()


@pytest.mark.django_db
class TestUnhold:
    def test_the_last_hold_makes_a_due_job_ready(self, engine):
        (job,) = enqueue(engine, status=Status.WAITING, holds=1, reason="a parent")
        assert engine.unhold([job.id], now=NOW) == 1
        assert columns(job, "status", "holds", "reason") == (Status.READY, 0, "")

    def test_the_last_hold_makes_a_later_job_scheduled(self, engine):
        (job,) = enqueue(engine, status=Status.WAITING, holds=1, run_after=after(1))
        assert engine.unhold([job.id], now=NOW) == 1
        assert columns(job, "status", "run_after") == (Status.SCHEDULED, after(1))

    def test_one_hold_of_two_keeps_it_waiting(self, engine):
        (job,) = enqueue(engine, status=Status.WAITING, holds=2, reason="two parents")
        assert engine.unhold([job.id], now=NOW) == 0
        assert columns(job, "status", "holds", "reason") == (Status.WAITING, 1, "two parents")
        assert engine.unhold([job.id], now=NOW) == 1

    def test_only_those_named_lose_a_hold(self, engine):
        first, second = enqueue(engine, 2, status=Status.WAITING, holds=1)
        assert engine.unhold([first.id], now=NOW) == 1
        assert columns(second, "status", "holds") == (Status.WAITING, 1)

    def test_a_thousand_at_once(self, engine):
        jobs = enqueue(engine, 1000, status=Status.WAITING, holds=1)
        assert engine.unhold([job.id for job in jobs], now=NOW) == 1000

    def test_nothing_to_unhold_costs_nothing(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert engine.unhold([], now=NOW) == 0
