"""The desk with a database that fails: work is kept, in order; nothing is claimed for nobody."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import ProgrammingError

from django_jobs import logs
from django_jobs.duties import Done
from django_jobs.duties.promote import Promote
from django_jobs.duties.rescue import Rescue
from django_jobs.engines.listening import ANY_QUEUE
from django_jobs.engines.rows import Cancel, Released, WorkerRow
from django_jobs.engines.tally import Tally
from django_jobs.notes import Note
from django_jobs.outcomes import ErrorReport
from django_jobs.states import AttemptOutcome, ErrorKind
from django_jobs.wire.clock import boottime, boottime_ns
from django_jobs.wire.slips import Slips
from django_jobs.worker.announcing import Announcer
from django_jobs.worker.desk import Desk, DeskPlan
from django_jobs.worker.inbox import Cancels, Claimed, DeskClosed, Drained, Inbox, Lost, Outbox, Paused
from django_jobs.worker.looking import Terms
from django_jobs.worker.queue_list import QueueList
from django_jobs.worker.work import UNIT, GivenBack, Work
from tests.worker.fake_engine import FakeEngine, FakeListener
from tests.worker.making import claimed, completed, held

UNSTORABLE = ErrorReport(ErrorKind.STORAGE, "DataError", "too long")
WORKER = WorkerRow("w", "host", 7, "all queues", 1, "0.1.0")


class Office:
    """A desk without its thread: the test makes each pass."""

    def __init__(self, *, duties: tuple[Any, ...] = (), burst: bool = False, queues: QueueList | None = None):
        self.engine, self.inbox, self.outbox, self.slips = FakeEngine(), Inbox(), Outbox(), Slips.create(1)
        self.inbox.rest = lambda seconds: None  # type: ignore[method-assign]
        terms = Terms("w", queues or QueueList(), 60.0)
        plan = DeskPlan(
            worker=WORKER,
            terms=terms,
            duties=duties,
            tally=Tally("w"),
            announcer=Announcer("w", "default", self.outbox),
            poll_interval=1.0,
            burst=burst,
        )
        self.desk = Desk(
            plan,
            engine=self.engine,  # type: ignore[arg-type]
            inbox=self.inbox,
            outbox=self.outbox,
            slips=self.slips,
        )

    def passes(self, times: int = 1) -> None:
        """Make passes, none of which waits."""
        for _ in range(times):
            self.inbox.put(Work())
            self.desk._pass()

    def claims(self, *jobs: Any) -> list[Any]:
        """Let the desk claim these; return them under the token it gave them."""
        self.engine.ready += jobs
        self.inbox.want(len(jobs), received=0)
        self.desk._look_at = 0.0
        self.passes()
        return [job for news in self.outbox.take() if isinstance(news, Claimed) for job in news.jobs]

    def close(self) -> None:
        """Free the descriptors."""
        self.inbox.close()
        self.outbox.close()

    def news(self) -> list[Any]:
        """Return what the loop would hear."""
        return self.outbox.take()


@pytest.fixture
def office() -> Iterator[Office]:
    """Return a desk without duties."""
    made = Office()
    yield made
    made.close()


def test_the_lease_is_renewed_before_anything_else(office: Office) -> None:
    office.inbox.put(Work(finished=[(job := claimed(), completed(job))]))
    office.passes()
    assert office.engine.calls[:2] == ["prepare", "read_clock"]
    assert office.slips.lease_ns > boottime_ns()


def test_each_new_connection_is_limited_to_statements_shorter_than_the_lease_bears(office: Office) -> None:
    office.passes(2)
    assert office.engine.calls.count("prepare") == 1
    assert office.engine.statement_timeout == 60.0 / 6
    office.engine.away("read_clock")
    office.desk._renew_at = 0.0
    office.passes(2)
    assert office.engine.calls.count("prepare") == 2


def test_what_could_not_be_written_is_written_later_in_its_old_order(office: Office) -> None:
    jobs = office.claims(*[claimed() for _ in range(3)])
    office.engine.away("ack")
    for job in jobs:
        office.inbox.put(Work(finished=[(job, completed(job))]))
        office.passes()
    office.engine.away()
    office.engine.acked.clear()
    office.passes()
    assert [ack.held for ack in office.engine.acked] == [held(job) for job in jobs]


def test_an_ack_carries_how_long_the_result_is_kept(office: Office) -> None:
    texts = ['{"result_ttl": 60.0}', None, '{"result_ttl": "soon"}', "{no json"]
    jobs = office.claims(*[claimed(options=text) for text in texts])
    office.inbox.put(Work(finished=[(job, completed(job)) for job in jobs]))
    office.passes()
    assert [ack.result_ttl for ack in office.engine.acked] == [60.0, None, None, None]


def test_what_runs_say_is_written_with_the_time_and_before_the_acks(office: Office) -> None:
    first, second = office.claims(claimed(), claimed())
    office.inbox.put(
        Work(
            notes={held(first): Note(log="older"), held(second): Note(log="only")},
            finished=[(first, completed(first, note=Note(log="last")))],
        )
    )
    office.engine.calls.clear()
    office.passes()
    assert office.engine.calls[:2] == ["note", "ack"]
    assert {one.held: one.note.log for one in office.engine.noted} == {
        held(first): "last",
        held(second): "only",
    }
    assert all(one.at.tzinfo for one in office.engine.noted)
    assert [ack.log for ack in office.engine.acked] == ["last"]


def test_only_jobs_that_may_have_run_before_are_asked_what_they_saved(office: Office) -> None:
    old = [claimed(attempts=1), claimed(interruptions=1), claimed(round=2)]
    office.engine.metas_saved = {old[0].id: "{}", old[2].id: "[]"}
    assert [job.meta for job in office.claims(*old, claimed())] == ["{}", None, "[]", None]
    assert office.engine.calls.count("metas") == 1


def test_jobs_that_run_for_the_first_time_cost_no_question(office: Office) -> None:
    office.claims(claimed(), claimed())
    assert "metas" not in office.engine.calls


def test_after_a_failure_the_lease_is_renewed_first(office: Office) -> None:
    (job,) = office.claims(claimed())
    office.engine.away("ack")
    office.inbox.put(Work(finished=[(job, completed(job))]))
    office.passes()
    office.engine.away()
    office.engine.calls.clear()
    office.passes()
    assert office.engine.calls[:5] == ["prepare", "read_clock", "renew", "claimed_by", "ack"]


def test_a_claim_that_was_not_answered_is_given_back_with_the_next_renewal(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    (known,) = office.claims(claimed())
    unheard = held(claimed())
    office.engine.mine.add(unheard)
    office.desk._renew_at = 0.0
    office.passes()
    assert office.engine.released == [Released(unheard)]
    assert office.engine.mine == {held(known)}
    assert "1 jobs were not run: the database did not answer when they were claimed" in caplog.text


def test_what_was_claimed_is_given_back_where_telling_of_the_others_fails(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = office.claims(claimed())
    office.inbox.put(Work(finished=[(first, completed(first))]))
    with monkeypatch.context() as patched:
        patched.setattr(logs, "settled", mock.Mock(side_effect=ValueError("a filter of theirs")))
        office.engine.ready.append(second := claimed())
        office.inbox.want(1, received=1)
        office.desk._claims.queues.forget()
        office.passes()
    (unheard,) = office.engine.mine
    assert unheard.id == second.id
    office.passes()
    assert office.engine.released == [Released(unheard)]


def test_after_a_failure_the_connection_is_closed_even_if_it_refuses(office: Office) -> None:
    office.engine.away("read_clock")
    office.passes(2)
    assert office.engine.connection.closed == 2


def test_after_a_failure_nothing_is_rescued_for_half_a_lease() -> None:
    office = Office(duties=(Rescue(interval=5, lease=60, tally=Tally("w"), announce=list),))
    office.engine.away("read_clock")
    office.passes()
    office.engine.away()
    office.passes()
    assert "rescue" not in office.engine.calls
    assert office.desk._roster.next_at > boottime_ns() / 1e9 + 25
    office.close()


def test_no_more_rows_are_written_at_once_than_a_unit(office: Office) -> None:
    office.inbox.put(Work(finished=[(job, completed(job)) for job in [claimed() for _ in range(UNIT + 5)]]))
    office.desk._pass()
    assert len(office.engine.acked) == UNIT
    office.desk._pass()
    assert len(office.engine.acked) == UNIT + 5


def test_lost_claims_are_told_and_not_renewed_again(office: Office) -> None:
    (job,) = office.claims(claimed())
    office.engine.mine.clear()
    office.desk._renew_at = 0.0
    office.passes()
    assert office.news() == [Lost([held(job)])]
    office.desk._renew_at = 0.0
    office.engine.calls.clear()
    office.passes()
    assert "renew" not in office.engine.calls


def test_a_lost_claim_is_told_of_although_the_database_goes_away_before_the_renewal_is_through(
    office: Office,
) -> None:
    (job,) = office.claims(claimed())
    office.engine.mine.clear()
    office.desk._renew_at = 0.0
    office.engine.away("claimed_by")
    office.passes()
    office.engine.away()
    office.passes()
    assert office.news() == [Lost([held(job)])]


def test_a_settled_or_given_back_job_is_held_no_more(office: Office) -> None:
    first, second = office.claims(claimed(), claimed())
    office.inbox.put(Work(finished=[(first, completed(first))], given_back=[GivenBack(second)]))
    office.passes()
    assert office.desk._claims.none_held


def test_a_refused_outcome_is_dropped_and_said(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    job = claimed()
    office.inbox.put(Work(finished=[(job, completed(job))]))
    office.passes()
    assert f"job {job.id} is not w's any more" in caplog.text


def test_what_was_written_is_counted_and_what_was_refused_is_not(office: Office) -> None:
    first, second = office.claims(claimed(), claimed(queue="mail"))
    stranger = claimed()
    office.inbox.put(Work(finished=[(job, completed(job)) for job in (first, stranger, second)]))
    office.passes()
    assert [(count.queue, count.outcome, count.runs) for count in office.engine.counted] == [
        ("default", "completed", 1),
        ("mail", "completed", 1),
    ]


def test_an_outcome_that_cannot_be_stored_is_counted_and_logged_as_what_was_stored(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    (job,) = office.claims(claimed())
    outcome = completed(job)
    office.engine.stores_as[held(job)] = outcome._replace(outcome=AttemptOutcome.FAILED, error=UNSTORABLE)
    office.inbox.put(Work(finished=[(job, outcome)]))
    office.passes()
    assert [count.outcome for count in office.engine.counted] == ["failed"]
    assert "failed in 0.000 s (attempt 1 of 3): DataError: too long; dead" in caplog.text


def test_only_what_is_wanted_is_claimed(office: Office) -> None:
    office.engine.ready = [claimed() for _ in range(5)]
    office.inbox.want(3, received=0)
    office.passes(3)
    assert sum(len(news.jobs) for news in office.news()) == 3
    office.inbox.want(3, received=0)  # nothing has arrived at the loop yet
    office.passes(3)
    assert office.news() == []


def test_jobs_claimed_while_the_end_was_asked_for_are_given_back(office: Office) -> None:
    office.engine.ready = [claimed()]
    office.inbox.want(1, received=0)
    office.engine.meanwhile = lambda: office.inbox.finish(received=0)
    office.passes()
    assert office.news() == []
    assert not office.inbox.closed
    office.passes()
    assert len(office.engine.released) == 1
    assert not office.engine.mine
    assert office.inbox.closed


def test_nothing_is_claimed_from_a_paused_queue(office: Office) -> None:
    office.engine.paused_queues = ["mail"]
    found = office.claims(claimed(queue="mail"), claimed(queue="reports"))
    assert [job.queue for job in found] == ["reports"]


def test_a_busy_worker_sees_a_pause_within_a_second(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("django_jobs.worker.served.boottime", lambda: clock[0])
    office.engine.ready = [claimed() for _ in range(9)]
    office.inbox.want(1, received=0)
    office.passes()
    office.engine.paused_queues = ["default"]
    office.inbox.want(2, received=0)
    office.passes()
    clock[0] += 0.95
    office.inbox.want(3, received=0)
    office.passes()
    first, second, paused = office.news()
    assert len(first.jobs) == len(second.jobs) == 1
    assert paused == Paused({"default"})


def test_a_pause_is_told_once_and_again_after_a_resume(office: Office) -> None:
    def look() -> list[Any]:
        office.desk._look_at = 0.001
        office.passes()
        return office.news()

    office.inbox.want(1, received=0)
    office.engine.paused_queues = ["mail", "reports"]
    assert [look(), look()] == [[Paused({"mail", "reports"})], []]
    office.engine.paused_queues = ["mail"]
    assert look() == []
    office.engine.paused_queues = ["mail", "reports"]
    assert look() == [Paused({"reports"})]


def test_a_worker_without_a_free_slot_hears_of_a_pause_with_its_next_renewal(office: Office) -> None:
    office.claims(claimed())
    office.engine.paused_queues = ["default"]
    office.passes()
    assert office.news() == []
    office.desk._renew_at = 0.0
    office.passes()
    assert office.news() == [Paused({"default"})]


def test_the_loop_hears_what_somebody_wants_cancelled_again_and_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [boottime()]
    monkeypatch.setattr("django_jobs.worker.wishes.boottime", lambda: clock[0])
    (job,) = office.claims(claimed())
    office.engine.asked = [Cancel(held(job), forced=False)]
    for _ in range(2):
        office.passes(3)
        assert office.news() == []
        clock[0] += 1
        office.passes(3)
        assert office.news() == [Cancels(office.engine.asked)]


def test_while_it_holds_nothing_the_desk_does_not_ask_what_is_to_be_cancelled(office: Office) -> None:
    office.passes(3)
    assert "cancels" not in office.engine.calls
    (job,) = office.claims(claimed())
    assert office.desk._patience(wanted=False) <= 0.9
    office.inbox.put(Work(finished=[(job, completed(job))]))
    office.passes()
    assert office.desk._patience(wanted=False) > 0.9


@pytest.mark.parametrize(
    ("options", "looks"), [('{"on_failure": "tests.jobs.echo"}', True), (None, False), ("{no json", False)]
)
def test_what_a_dead_letter_calls_is_looked_for_at_once(
    office: Office, options: str | None, looks: bool
) -> None:
    (job,) = office.claims(claimed(options=options))
    office.engine.calls.clear()
    dead = completed(job)._replace(outcome=AttemptOutcome.FAILED, error=UNSTORABLE)
    office.inbox.want(1, received=1)
    office.inbox.put(Work(finished=[(job, dead)]))
    office.passes()
    assert ("outlook" in office.engine.calls) is looks


def test_a_cancelled_job_is_logged_as_such_however_its_run_ended(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, third = office.claims(claimed(), claimed(), claimed())
    failure = completed(second)._replace(outcome=AttemptOutcome.FAILED, retry_in=5, error=UNSTORABLE)
    cancelled = completed(third)._replace(outcome=AttemptOutcome.CANCELLED)
    office.engine.cancels_instead = {held(first), held(second)}
    with caplog.at_level("INFO", logger="django_jobs"):
        office.inbox.put(
            Work(
                finished=[(second, failure), (third, cancelled)],
                given_back=[GivenBack(first)],
            )
        )
        office.passes()
    lines = [record.getMessage() for record in caplog.records if record.levelname == "INFO"]
    assert len(lines) == 3
    assert lines[0].endswith("cancelled on request before it began")
    assert lines[1].endswith("DataError: too long; cancelled on request")
    assert "cancelled on request in" in lines[2]
    assert office.desk._claims.none_held


def test_the_end_waits_for_jobs_on_their_way_to_the_loop(office: Office) -> None:
    (job,) = office.claims(claimed())
    office.inbox.finish(received=0)
    assert not office.inbox.stopping
    office.inbox.put(Work(given_back=[GivenBack(job)]))
    office.inbox.finish(received=1)
    assert office.inbox.stopping
    assert not office.inbox.closed
    office.passes()
    assert office.inbox.closed


def test_the_end_is_told_even_if_the_connection_cannot_be_closed(office: Office) -> None:
    office.engine.connection.refuses = True
    office.desk.stop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("threading.excepthook", lambda *_: None)
        office.desk.start()
        assert office.desk.wait(20)
    assert office.news() == [DeskClosed()]


def test_stopping_and_waiting_are_borne_before_the_start_and_twice(office: Office) -> None:
    assert office.desk.wait(0)
    office.desk.stop()
    office.desk.stop()
    office.desk.start()
    assert office.desk.wait(20)
    assert office.desk.wait(0)


def test_no_wait_of_the_desks_connection_outlasts_a_sixth_of_the_lease(office: Office) -> None:
    office.desk.stop()
    office.desk.start()
    assert office.desk.wait(20)
    assert office.engine.calls[0] == "limit_waits 10"


def test_news_of_another_connection_are_looked_for_at_once(office: Office) -> None:
    office.inbox.want(1, received=0)
    office.passes()
    office.engine.ready = [claimed()]
    office.passes()
    assert office.news() == []  # the next look is a poll interval away
    office.engine.ear = FakeListener({ANY_QUEUE})
    office.desk._waking.close()
    office.passes()
    assert [type(news) for news in office.news()] == [Claimed]


def test_nobody_listens_while_no_job_is_wanted(office: Office) -> None:
    office.passes(3)
    assert "listener" not in office.engine.calls


def test_news_are_read_at_each_renewal_while_no_job_is_wanted(office: Office) -> None:
    office.engine.ear = ear = FakeListener(set())
    office.inbox.want(1, received=0)
    office.passes(2)
    office.inbox.want(0, received=0)
    office.passes()
    asked = ear.asked
    office.passes()
    assert ear.asked == asked
    office.desk._waking._paid_until = office.desk._renew_at = 0.0
    office.passes()
    assert ear.asked == asked + 1


def test_a_wait_ends_with_the_listener_s_descriptor(office: Office) -> None:
    read, write = os.pipe()
    office.engine.ear = FakeListener(set(), fd=read)
    office.inbox.want(1, received=0)
    office.passes(2)
    os.write(write, b"x")
    office.desk._waking._paid_until = 0.0
    office.desk._pass()  # else it would wait for the poll interval, and with it the lease
    assert office.engine.ear.asked
    os.close(read)
    os.close(write)


def test_after_a_failure_another_listener_is_opened(office: Office) -> None:
    office.inbox.want(1, received=0)
    office.engine.ear = ear = FakeListener(set())
    office.passes()
    office.engine.away("read_clock")
    office.desk._renew_at = 0.0
    office.passes()
    assert ear.closed
    office.engine.away()
    office.passes()
    assert office.engine.calls.count("listener") == 2


@pytest.fixture
def promoting() -> Iterator[Office]:
    """Return a desk that promotes, seldom by itself, and has just done so."""
    made = Office(duties=(Promote(interval=1000),))
    made.passes()
    made.engine.calls.clear()
    yield made
    made.close()


@pytest.mark.parametrize(("wanted", "asks"), [(0, "next_due"), (1, "outlook")])
def test_due_jobs_are_looked_for_when_there_are_news(promoting: Office, wanted: int, asks: str) -> None:
    promoting.inbox.want(1, received=0)
    promoting.passes()  # opens the listener
    promoting.inbox.want(wanted, received=0)
    promoting.engine.ear = FakeListener({ANY_QUEUE})
    promoting.desk._waking._listener = promoting.engine.ear
    promoting.desk._renew_at = promoting.desk._waking._paid_until = 0.0
    promoting.engine.calls.clear()
    promoting.passes()
    assert asks in promoting.engine.calls


@pytest.fixture
def told(promoting: Office) -> Office:
    """Return a desk that has looked at its queues, waits for jobs, and hears of the queue "mail" next."""
    promoting.inbox.want(2, received=0)
    promoting.passes()
    promoting.desk._waking._listener = promoting.engine.ear = FakeListener({"mail"})
    promoting.engine.calls.clear()
    return promoting


def test_a_queue_that_the_desk_is_told_of_is_claimed_from_before_any_question(told: Office) -> None:
    told.engine.ready += [claimed(queue="mail"), claimed(queue="other")]
    told.passes()
    assert [job.queue for news in told.news() for job in news.jobs] == ["mail"]
    assert told.engine.calls == ["claim"]


def test_a_look_at_queues_that_were_looked_up_before_puts_off_no_poll(office: Office) -> None:
    office.engine.ready.append(claimed())
    office.inbox.want(2, received=0)
    office.passes()
    (job,) = [job for news in office.news() for job in news.jobs]
    poll_at = office.desk._poll_at
    office.engine.calls.clear()
    office.inbox.put(Work(finished=[(job, completed(job))]))
    office.passes()
    assert "outlook" not in office.engine.calls
    assert office.desk._look_at == office.desk._poll_at == poll_at > boottime()


def test_what_is_ready_elsewhere_is_looked_for_when_a_look_is_due_whatever_was_told(told: Office) -> None:
    told.passes()
    assert told.engine.calls == ["claim"]
    told.engine.ready += [claimed(queue="other")]
    told.desk._look_at = told.desk._poll_at = boottime()  # each pass hears of "mail" again
    told.passes(2)
    assert [job.queue for news in told.news() for job in news.jobs] == ["other"]


def test_what_waits_elsewhere_is_not_passed_over_for_a_queue_that_the_desk_is_told_of(told: Office) -> None:
    told.engine.ear.news = set()
    told.desk._claims.queues.forget()
    assert len(told.claims(claimed(queue="other"), claimed(queue="other"))) == 2
    told.inbox.want(1, received=2)
    told.engine.ready += [claimed(queue="other"), claimed(queue="mail")]
    told.engine.ear.news = {"mail"}
    told.passes()
    assert [job.queue for news in told.news() for job in news.jobs] == ["other"]


def test_with_no_slot_free_a_queue_that_the_desk_is_told_of_is_looked_up_later(told: Office) -> None:
    told.inbox.want(0, received=0)
    told.desk._renew_at = 0.0
    told.passes()
    told.inbox.want(1, received=0)
    told.engine.calls.clear()
    told.engine.ear.news = set()
    told.passes()
    assert told.engine.calls[0] == "outlook"


def test_who_looks_for_ready_jobs_hears_when_the_next_one_is_due(promoting: Office) -> None:
    promoting.inbox.want(1, received=0)
    promoting.engine.due = datetime.now(UTC) + timedelta(seconds=500)
    promoting.passes()
    assert boottime() + 400 < promoting.desk._roster.next_at < boottime() + 501
    promoting.engine.due = datetime.now(UTC) - timedelta(seconds=1)
    promoting.desk._look_at = boottime()
    promoting.passes()
    assert "next_due" in promoting.engine.calls


def test_while_nobody_looks_due_jobs_are_looked_for_each_second(promoting: Office) -> None:
    promoting.inbox.want(0, received=0)
    promoting.passes()
    assert promoting.desk._roster.next_at <= boottime() + 1.0


def test_a_look_that_finds_nothing_scheduled_is_a_turn_of_promoting(promoting: Office) -> None:
    (duty,) = promoting.desk._plan.duties
    promoting.desk._roster.hasten(Promote)
    promoting.inbox.want(1, received=0)
    promoting.passes()
    assert "next_due" not in promoting.engine.calls
    assert duty not in promoting.desk._roster.due()


@pytest.mark.parametrize("given_back", [False, True])
def test_what_is_to_run_again_is_promoted_when_it_is_due(promoting: Office, given_back: bool) -> None:
    (job,) = promoting.claims(claimed())
    again = (
        Work(given_back=[GivenBack(job, delay=20.0)])
        if given_back
        else Work(finished=[(job, completed(job)._replace(outcome=AttemptOutcome.FAILED, retry_in=20.0))])
    )
    promoting.inbox.hand_over(again, wanted=1, received=1)
    promoting.desk._claims.queues.forget()
    promoting.passes()
    assert boottime() + 10 < promoting.desk._roster.next_at < boottime() + 21


def test_no_more_jobs_are_claimed_than_have_been_settled(office: Office) -> None:
    office.engine.ready += [claimed() for _ in range(3 * UNIT)]
    jobs = office.claims(*[claimed() for _ in range(3 * UNIT)])
    office.inbox.put(Work(finished=[(job, completed(job)) for job in jobs]))
    office.inbox.want(2 * UNIT + 1, received=len(jobs))
    office.news()
    taken = []
    for _ in range(3):
        office.desk._pass()
        taken.append(sum(len(news.jobs) for news in office.news() if isinstance(news, Claimed)))
    assert taken == [1, UNIT, UNIT]


@pytest.mark.parametrize(("asked", "answered", "asks"), [(59, 0, True), (90, 31, True), (90, 29, False)])
def test_claims_whose_answer_was_lost_are_asked_for_until_a_lease_after_the_last_claim(
    office: Office, asked: float, answered: float, asks: bool
) -> None:
    office.claims(claimed())
    office.desk._claims._looking.asked_at = boottime() - asked
    office.desk._claims._answered_at = boottime() - answered
    office.desk._renew_at = 0.0
    office.engine.calls.clear()
    office.passes()
    assert ("claimed_by" in office.engine.calls) is asks


def test_a_claim_without_an_answer_is_given_back_however_long_the_database_was_away(office: Office) -> None:
    office.claims(claimed())
    lost = held(claimed())
    office.engine.mine.add(lost)
    office.engine.away("read_clock")
    office.desk._claims._looking.asked_at = boottime() - 1000
    office.desk._claims._answered_at = boottime() - 1001
    office.desk._renew_at = 0.0
    office.passes()
    office.engine.away()
    office.passes()
    assert [one.held for one in office.engine.released] == [lost]


class Duty:
    """A duty that does what the test says."""

    interval = 1000.0

    def __init__(self, *results: Any) -> None:
        self.results, self.turns = list(results), 0

    def run(self, engine: Any, *, now: datetime) -> Done:
        self.turns += 1
        result = self.results.pop(0) if self.results else Done()
        if isinstance(result, Exception):
            raise result
        return result


def test_a_duty_that_fails_on_a_row_keeps_nobody_from_working(caplog: pytest.LogCaptureFixture) -> None:
    bad, good = Duty(ProgrammingError("spoilt row")), Duty()
    office = Office(duties=(bad, good))
    office.passes()
    assert (bad.turns, good.turns) == (1, 1)
    assert office.engine.connection.closed == 0
    assert "spoilt row" in caplog.text
    office.passes()
    assert bad.turns == 1
    office.close()


def test_duties_wait_for_a_renewal_that_became_due_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("django_jobs.worker.desk.boottime", lambda: clock[0])
    slow, next_one = Duty(), Duty()
    office = Office(duties=(slow, next_one))
    monkeypatch.setattr(slow, "run", lambda engine, now: clock.__setitem__(0, clock[0] + 16) or Done())
    office.passes()
    assert (next_one.turns, office.engine.calls.count("read_clock")) == (0, 1)
    office.passes()
    assert (next_one.turns, office.engine.calls.count("read_clock")) == (1, 2)
    office.close()


def test_jobs_made_ready_by_a_duty_are_looked_for_at_once() -> None:
    office = Office(duties=(Duty(Done(made_ready=True)),))
    office.inbox.want(1, received=0)
    office.passes()
    office.engine.ready = [claimed()]
    office.passes()
    assert [type(news) for news in office.news()] == [Claimed]
    office.close()


def test_no_duty_is_begun_when_stopping() -> None:
    duty = Duty()
    office = Office(duties=(duty,))
    office.desk.stop()
    office.passes()
    assert duty.turns == 0
    office.close()


@pytest.fixture
def burst() -> Iterator[Office]:
    """Return a desk that tells when nothing is due."""
    made = Office(burst=True, queues=QueueList(exclude=["other"]))
    made.inbox.want(2, received=0)
    yield made
    made.close()


def test_drained_is_told_when_nothing_is_due(burst: Office) -> None:
    burst.engine.due = datetime.now(UTC) + timedelta(hours=1)
    burst.engine.ready = [claimed(queue="other")]
    burst.passes()
    assert burst.news() == [Drained()]


def test_a_held_job_keeps_drained_from_being_told(burst: Office) -> None:
    burst.engine.ready = [claimed()]
    burst.passes(3)
    assert Drained() not in burst.news()


def test_a_job_put_into_another_queue_by_the_last_one_keeps_drained_from_being_told(burst: Office) -> None:
    burst.engine.ready = [claimed()]
    burst.passes()
    ((job,),) = (news.jobs for news in burst.news())
    burst.engine.ready = [claimed(queue="mail")]
    burst.inbox.put(Work(finished=[(job, completed(job))]))
    burst.passes()
    assert burst.news() == []
    burst.desk._look_at = 0.0
    burst.passes()
    assert [type(news) for news in burst.news()] == [Claimed]


def test_what_a_duty_expects_keeps_drained_from_being_told() -> None:
    office = Office(duties=(Duty(Done(expects=True)),), burst=True)
    office.inbox.want(2, received=0)
    office.passes()
    assert office.news() == []
    office.close()


def test_a_scheduled_job_that_is_due_keeps_drained_from_being_told(burst: Office) -> None:
    burst.engine.due = datetime.now(UTC) - timedelta(seconds=1)
    burst.passes()
    assert burst.news() == []


def test_an_interrupted_job_is_claimed_again_before_drained_is_told(burst: Office) -> None:
    burst.engine.ready = [claimed(queue="mail")]
    burst.passes()
    ((job,),) = (news.jobs for news in burst.news())
    burst.desk._claims.queues._good_until = float("inf")
    burst.desk._claims.queues._names = []
    outcome = completed(job)
    interrupted = type(outcome)(job.id, job.token, AttemptOutcome.INTERRUPTED)
    burst.engine.ready = [job]
    burst.inbox.put(Work(finished=[(job, interrupted)]))
    burst.passes()
    assert Drained() not in burst.news()


@pytest.mark.parametrize(("turned_away", "told"), [(True, []), (False, [Drained()])])
def test_one_that_there_was_no_room_for_keeps_drained_from_being_told(
    burst: Office, *, turned_away: bool, told: list[Drained]
) -> None:
    burst.engine.ready = [claimed()]
    burst.passes()
    ((job,),) = (news.jobs for news in burst.news())
    burst.engine.due = datetime.now(UTC) + timedelta(hours=1)
    burst.inbox.put(Work(given_back=[GivenBack(job, 3600.0, "why", turned_away=turned_away)]))
    burst.passes()
    burst.desk._look_at = 0.0
    burst.passes()
    assert burst.news()[:1] == told
