"""What the desk has committed becomes events, where anybody listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError

from django_jobs import signals
from django_jobs.engines.rows import Ack, Amended, ClaimedJob
from django_jobs.outcomes import ErrorReport, Outcome
from django_jobs.states import AttemptOutcome, ErrorKind
from django_jobs.wire.events import Event
from django_jobs.worker.announcing import Announcer, Settled
from django_jobs.worker.inbox import Happened, Outbox
from django_jobs.worker.work import GivenBack, Work
from tests import jobs
from tests.worker.making import claimed, completed, failed, held
from tests.worker.test_desk import Office

ERROR = ErrorReport(ErrorKind.EXCEPTION, "ValueError", "no", "Traceback …", "f" * 16)


def hear(**_: Any) -> None:
    """Listen."""


@pytest.fixture
def everybody_listens() -> Iterator[None]:
    for signal in signals.EVENTS.values():
        signal.connect(hear)
    yield
    for signal in signals.EVENTS.values():
        signal.disconnect(hear)


@pytest.fixture
def outbox() -> Iterator[Outbox]:
    made = Outbox()
    yield made
    made.close()


def posted(outbox: Outbox) -> list[Event]:
    return [
        Event.from_bytes(each) for news in outbox.take() if isinstance(news, Happened) for each in news.events
    ]


def settled(job: ClaimedJob, outcome: Outcome, *, cancelled: bool = False) -> Settled:
    ack = Ack(outcome, job.round, job.number, "w", None, job.run_after)
    return Settled(job, ack, Amended(held(job), outcome, cancelled))


def ended(outcome: AttemptOutcome, retry_in: float | None = None) -> Callable[[ClaimedJob], Outcome]:
    error = None if outcome in (AttemptOutcome.CANCELLED, AttemptOutcome.INTERRUPTED) else ERROR
    return lambda job: completed(job)._replace(outcome=outcome, retry_in=retry_in, error=error)


@pytest.mark.parametrize(
    ("outcome", "cancelled", "expected"),
    [
        (completed, False, ["job_completed"]),
        (ended(AttemptOutcome.FAILED), False, ["attempt_failed", "job_dead"]),
        (ended(AttemptOutcome.FAILED, 0), False, ["attempt_failed", "retry_scheduled"]),
        (ended(AttemptOutcome.CRASHED, 5), False, ["attempt_failed", "retry_scheduled"]),
        (ended(AttemptOutcome.TIMED_OUT), False, ["attempt_timed_out", "attempt_failed", "job_dead"]),
        (ended(AttemptOutcome.FAILED, 5), True, ["attempt_failed", "job_cancelled"]),
        (ended(AttemptOutcome.CANCELLED), False, ["job_cancelled"]),
        (ended(AttemptOutcome.INTERRUPTED), False, []),
        (ended(AttemptOutcome.INTERRUPTED), True, ["job_cancelled"]),
    ],
)
def test_each_end_of_a_run_is_told_by_its_signals(
    outcome: Callable[[ClaimedJob], Outcome],
    cancelled: bool,
    expected: list[str],
    everybody_listens: None,
    outbox: Outbox,
) -> None:
    announcer, job = Announcer("w", "default", outbox), claimed(attempts=1, round=4)
    announcer.settled(settled(job, outcome(job), cancelled=cancelled))
    assert outbox.take() == []
    announcer.post()
    events = posted(outbox)
    assert [event.signal for event in events] == expected
    infos = [event.job for event in events if event.job]
    assert {(info.id, info.attempt, info.round) for info in infos} == ({(job.id, 2, 4)} if events else set())
    assert [event.details["error"] for event in events if "error" in event.details] == [
        ERROR for event in events if event.signal not in ("job_completed", "job_cancelled")
    ]
    announcer.post()
    assert outbox.take() == []


def test_where_nobody_listens_nothing_is_posted(outbox: Outbox) -> None:
    announcer, job = Announcer("w", "default", outbox), claimed()
    announcer.settled(settled(job, failed(job)))
    announcer.cancelled(job)
    announcer.worker("worker_started")
    announcer.post()
    assert outbox.take() == []


def test_what_is_told_of_one_function_is_told_of_no_other(outbox: Outbox) -> None:
    signals.job_completed.connect(hear, sender=jobs.add)
    try:
        announcer = Announcer("w", "default", outbox)
        ours, theirs = claimed(function="tests.jobs.add"), claimed(function="tests.jobs.send")
        for job in (ours, theirs):
            announcer.settled(settled(job, completed(job)))
        announcer.post()
    finally:
        signals.job_completed.disconnect(hear, sender=jobs.add)
    assert [event.job and event.job.id for event in posted(outbox)] == [ours.id]


def test_what_is_not_ours_any_more_is_not_told(everybody_listens: None, outbox: Outbox) -> None:
    announcer, job = Announcer("w", "default", outbox), claimed()
    announcer.settled(settled(job, completed(job))._replace(amended=Amended(held(job), None)))
    announcer.post()
    assert outbox.take() == []


@pytest.fixture
def office(everybody_listens: None) -> Iterator[Office]:
    made = Office()
    made.passes()  # the first, which renews
    yield made
    made.close()


def test_the_desk_tells_only_what_is_committed_and_that_once(office: Office) -> None:
    (job,) = office.claims(claimed())
    office.outbox.take()
    office.engine.fails["ack"] = OperationalError("away")
    office.inbox.put(Work(finished=[(job, completed(job))]))
    office.passes()
    assert posted(office.outbox) == []
    office.engine.fails.clear()
    office.passes(2)
    assert [event.signal for event in posted(office.outbox)] == ["job_completed"]


def test_a_job_given_back_and_cancelled_by_that_is_told(office: Office) -> None:
    back, cancelled = office.claims(claimed(), claimed())
    office.engine.cancels_instead = {held(cancelled)}
    office.inbox.put(Work(given_back=[GivenBack(back), GivenBack(cancelled)]))
    office.passes()
    events = posted(office.outbox)
    assert [(event.signal, event.job and event.job.id) for event in events] == [
        ("job_cancelled", cancelled.id)
    ]
