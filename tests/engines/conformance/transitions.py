from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from django_jobs.engines import Engine
from django_jobs.engines.rows import ClaimedJob, Held, NewJob, Released, Replay
from django_jobs.models import Attempt, Job, JobError, ResultExpiry
from django_jobs.states import FINAL, TRANSITIONS, AttemptOutcome, Status
from tests.engines.conformance.making import (
    LEASE,
    NOW,
    TOKEN,
    after,
    claim,
    done,
    failed,
    new,
    row,
)

Call = Callable[[Engine, NewJob], object]


def _claimed(job: NewJob) -> ClaimedJob:
    return ClaimedJob(*job[:3], *job[4:10], round=1, attempts=0, interruptions=0, token=TOKEN)


def _prune(engine: Engine, job: NewJob) -> None:
    for status in FINAL:
        engine.prune(status, before=after(1), limit=5)


def _expire(engine: Engine, job: NewJob) -> None:
    ResultExpiry.objects.create(job_id=job.id, expires_at=NOW)
    engine.expire(now=NOW, limit=5)


# verb → ways to call it, each with what the job must look like for it and where it then leads.
WAYS: dict[str, list[tuple[Call, dict[str, Any], Status | None]]] = {
    "unhold": [
        (lambda e, j: e.unhold([j.id], now=NOW), {"holds": 1}, Status.READY),
        (lambda e, j: e.unhold([j.id], now=NOW), {"holds": 1, "run_after": after(5)}, Status.SCHEDULED),
        (lambda e, j: e.unhold([j.id], now=NOW), {"holds": 2}, Status.WAITING),
    ],
    "promote": [(lambda e, j: e.promote(now=NOW, limit=5), {}, Status.READY)],
    "claim": [(lambda e, j: claim(e), {}, Status.RUNNING)],
    "release": [
        (lambda e, j: e.release([Released(Held(j.id, TOKEN))]), {}, Status.READY),
        (lambda e, j: e.release([Released(Held(j.id, TOKEN), after(5))]), {}, Status.SCHEDULED),
        (lambda e, j: e.release([Released(Held(j.id, TOKEN))]), {"cancel_requested": 1}, Status.CANCELLED),
    ],
    "ack": [
        (lambda e, j: e.ack([done(_claimed(j))]), {}, Status.COMPLETED),
        (lambda e, j: e.ack([failed(_claimed(j))]), {}, Status.DEAD),
        (lambda e, j: e.ack([failed(_claimed(j), 0)]), {}, Status.READY),
        (lambda e, j: e.ack([failed(_claimed(j), 5)]), {}, Status.SCHEDULED),
        (lambda e, j: e.ack([done(_claimed(j), AttemptOutcome.CANCELLED)]), {}, Status.CANCELLED),
        (lambda e, j: e.ack([done(_claimed(j), AttemptOutcome.INTERRUPTED)]), {}, Status.READY),
    ],
    "rescue": [
        (lambda e, j: e.rescue(now=after(61), limit=5), {}, Status.READY),
        (lambda e, j: e.rescue(now=after(61), limit=5), {"started_at": NOW}, Status.SCHEDULED),
        (lambda e, j: e.rescue(now=after(61), limit=5), {"started_at": NOW, "max_attempts": 1}, Status.DEAD),
        (lambda e, j: e.rescue(now=after(61), limit=5), {"cancel_requested": 1}, Status.CANCELLED),
    ],
    "ask_cancel": [(lambda e, j: e.ask_cancel([j.id], force=False), {}, Status.RUNNING)],
    "cancel": [(lambda e, j: e.cancel([j.id], now=NOW), {}, Status.CANCELLED)],
    "requeue": [(lambda e, j: e.requeue([j.id], now=NOW), {}, Status.READY)],
    "replay": [(lambda e, j: e.replay([Replay(j.id, new())]), {}, Status.DEAD)],
    "expire": [(_expire, {"result_data": "1"}, Status.COMPLETED)],
    "prune": [(_prune, {}, None)],
    "purge": [(lambda e, j: e.purge(j.queue, statuses=set(Status), limit=5), {}, None)],
}
CASES = [
    pytest.param(verb, call, values, to, status, id=f"{verb}-{number}-{status}")
    for verb, ways in WAYS.items()
    for number, (call, values, to) in enumerate(ways)
    for status in Status
]
# A job in each state as the verbs leave it.
LOOKS: dict[Status, dict[str, Any]] = {
    Status.WAITING: {"holds": 1, "reason": "a parent"},
    Status.RUNNING: {"worker_id": "w1", "claim_token": TOKEN, "lease": LEASE},
}


def _standing(job: NewJob) -> str | None:
    """Return the job's status, None where there is no such job any more."""
    return Job.objects.filter(pk=job.id).values_list("status", flat=True).first()


@pytest.mark.django_db
class TestTransitions:
    @pytest.mark.parametrize(("verb", "call", "values", "to", "status"), CASES)
    def test_a_verb_moves_what_the_table_says_and_nothing_else(self, engine, verb, call, values, to, status):
        from_, _ = TRANSITIONS[verb]
        job = new()
        engine.enqueue([job])
        Job.objects.filter(pk=job.id).update(
            status=status, **{**LOOKS.get(status, {}), **(values if status in from_ else {})}
        )
        before = row(job)
        call(engine, job)
        if status in from_:
            assert _standing(job) == to
            assert Job.objects.filter(pk=job.id).values().first() != before
        else:
            assert row(job) == before
            assert Job.objects.count() == 1
            assert not Attempt.objects.exists()
            assert not JobError.objects.exists()

    @pytest.mark.parametrize("status", sorted(TRANSITIONS["enqueue"][1]))
    def test_a_new_job_begins_pending(self, engine, status):
        job = new(status=status)
        engine.enqueue([job])
        assert row(job)["status"] == status

    @pytest.mark.parametrize("status", list(Status))
    def test_a_job_cannot_be_enqueued_over_another(self, engine, status):
        job = new()
        engine.enqueue([job])
        Job.objects.filter(pk=job.id).update(status=status)
        before = row(job)
        with pytest.raises(IntegrityError), transaction.atomic():
            engine.enqueue([job])
        assert row(job) == before

    def test_the_ways_walked_are_all_the_table_has(self):
        assert WAYS.keys() | {"enqueue"} == TRANSITIONS.keys()
        for verb, ways in WAYS.items():
            assert {to for _, _, to in ways} == TRANSITIONS[verb][1]
        assert TRANSITIONS["requeue"][0] == FINAL
