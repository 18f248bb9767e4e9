from __future__ import annotations

import json

import pytest
from django.db import transaction
from django.test import override_settings

from django_jobs import job
from django_jobs.engines.rows import Ack, Held, Started
from django_jobs.models import Job
from django_jobs.options import on_failure
from django_jobs.states import AttemptOutcome, CancelRequest, Status
from tests.engines.conformance.making import NOW, after, claim, done, enqueue, failed, running, statuses
from tests.payloads import args_of


@job(name="answering.alarm", queue="alarms", priority=7, max_attempts=5, timeout=9, retry_delay=60)
def alarm(job_id):
    """Be called for dead letters."""


@job(name="answering.there", on_failure="answering.back")
def there(job_id):
    """Have another function answer."""


@job(name="answering.back", on_failure="answering.there")
def back(job_id):
    """Have the other one answer."""


ALARM = '{"on_failure": "answering.alarm"}'


def then(ack: Ack, options: str | None = ALARM, function: str = "tests.jobs.add") -> Ack:
    """Return the ack of a job that has an on_failure."""
    return ack._replace(on_failure=on_failure(options, of=function))


def answers() -> list[Job]:
    """Return the jobs that were made for dead letters."""
    return list(Job.objects.exclude(function="tests.jobs.add").order_by("id"))


@pytest.mark.django_db
class TestAnswersToDeath:
    def test_a_dead_letter_leads_to_a_job_with_its_id_as_the_argument(self, engine):
        dead = running(engine)
        ack = then(failed(dead))
        (amended,) = engine.ack([ack])
        (answer,) = answers()
        assert (amended.held, amended.outcome, amended.cancelled) == (ack.held, ack.outcome, False)
        assert amended.enqueued is not None
        assert amended.enqueued.id == answer.id
        assert args_of(answer) == ([dead.id], {})
        assert (answer.status, answer.run_after, answer.function) == (
            Status.READY,
            after(2),
            "answering.alarm",
        )

    def test_the_job_has_the_options_of_its_function(self, engine):
        engine.ack([then(failed(running(engine)))])
        (answer,) = answers()
        assert (answer.queue, answer.priority, answer.max_attempts, answer.timeout) == ("alarms", 7, 5, 9.0)
        assert json.loads(answer.options or "{}").keys() == {"retry_delay"}

    @override_settings(DJANGO_JOBS={"DEFAULT_OPTIONS": {"queue": "ours"}})
    def test_of_a_function_that_is_not_known_here_it_has_those_of_the_project(self, engine):
        engine.ack([then(failed(running(engine)), '{"on_failure": "gone.alarm"}')])
        (answer,) = answers()
        assert (answer.function, answer.queue, answer.max_attempts) == ("gone.alarm", "ours", 3)

    @pytest.mark.parametrize(
        ("outcome", "retry_in"),
        [
            (AttemptOutcome.COMPLETED, None),
            (AttemptOutcome.CANCELLED, None),
            (AttemptOutcome.INTERRUPTED, None),
            (AttemptOutcome.FAILED, 0),
            (AttemptOutcome.TIMED_OUT, 5),
        ],
    )
    def test_no_other_end_leads_to_one(self, engine, outcome, retry_in):
        assert engine.ack([then(done(running(engine), outcome, retry_in=retry_in))]) == []
        assert answers() == []

    def test_an_ack_that_is_refused_leads_to_none(self, engine):
        job = running(engine)
        (amended,) = engine.ack([then(done(job, AttemptOutcome.CRASHED, token=99))])
        assert (amended.outcome, amended.enqueued) == (None, None)
        assert answers() == []

    def test_a_failure_that_somebody_wanted_cancelled_leads_to_none(self, engine):
        job = running(engine)
        Job.objects.filter(pk=job.id).update(cancel_requested=CancelRequest.ASKED)
        (amended,) = engine.ack([then(failed(job))])
        assert (amended.cancelled, amended.enqueued) == (True, None)
        assert answers() == []

    def test_each_dead_letter_of_a_batch_has_its_own(self, engine):
        enqueue(engine, 5)
        letters = claim(engine, 5)
        retried, plain, *dead = letters
        engine.ack([then(failed(retried, 0)), failed(plain), *(then(failed(each)) for each in dead)])
        told = {args_of(answer)[0][0] for answer in answers()}
        assert told == {each.id for each in dead}

    def test_an_outcome_that_cannot_be_stored_leads_to_one_on_the_last_attempt(self, engine):
        last = running(engine, max_attempts=1)
        engine.ack([then(done(last, result='"\ud800"'))])
        assert statuses()[last.id] == "dead"
        assert [args_of(answer)[0] for answer in answers()] == [[last.id]]

    def test_what_a_caller_rolls_back_is_not_there(self, engine):
        job = running(engine)
        with engine.transaction():
            engine.ack([then(failed(job))])
            transaction.set_rollback(True, using=engine.alias)
        assert (answers(), statuses()) == ([], {job.id: "running"})

    def test_a_rescued_dead_letter_leads_to_one_too(self, engine):
        job = running(engine, max_attempts=1, options=ALARM)
        engine.start([Started(Held(job.id, job.token), NOW)])
        engine.rescue(now=after(61), limit=10)
        (answer,) = answers()
        assert (args_of(answer)[0], answer.run_after) == ([job.id], after(61))

    def test_who_dies_again_after_a_requeue_leads_to_another(self, engine):
        job = running(engine, options=ALARM)
        engine.ack([then(failed(job))])
        engine.requeue([job.id], now=after(3))
        (again,) = claim(engine, token=2)
        engine.ack([then(failed(again), again.options)])
        assert [args_of(answer)[0] for answer in answers()] == [[job.id], [job.id]]

    def test_two_functions_that_answer_for_each_other_come_to_an_end(self, engine):
        engine.ack([then(failed(running(engine)), '{"on_failure": "answering.there"}')])
        for token in range(2, 9):
            for answer in claim(engine, 5, token=token):
                engine.ack([then(failed(answer), answer.options, answer.function)])
        assert [answer.function for answer in answers()] == ["answering.there", "answering.back"]
        assert set(statuses().values()) == {"dead"}
