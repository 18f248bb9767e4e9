from __future__ import annotations

import threading

import pytest
from django.db import connections, transaction

from django_jobs.engines.rows import Held, Noted, Started
from django_jobs.models import Attempt, JobNote
from django_jobs.notes import Note, Progress
from django_jobs.states import AttemptOutcome, Status
from tests.engines.conformance.making import (
    NOW,
    TOKEN,
    after,
    claim,
    done,
    enqueue,
    failed,
    running,
    statuses,
)

STALE = 99
SAID = Note(Progress(3, 4.5, "ü 🛫"), '{"seen":[1]}', "first\nsecond 🛬")


def noted(job, said=SAID, *, token=None, seconds=1.0):
    """Return what a run says so many seconds after NOW."""
    return Noted(Held(job.id, token or job.token), said, after(seconds))


def notes():
    """Return all that is stored, by job."""
    return {one.pop("job_id"): one for one in JobNote.objects.values()}


def spoken(ack, said=SAID):
    """Return the ack of a run that said something."""
    return ack._replace(outcome=ack.outcome._replace(note=said))


def logs():
    """Return the log of each attempt, oldest first."""
    return list(Attempt.objects.order_by("id").values_list("log", flat=True))


@pytest.mark.django_db
class TestNote:
    def test_what_a_run_says_is_stored_whole(self, engine):
        job = running(engine)
        engine.note([noted(job)])
        assert notes() == {
            job.id: {
                "token": TOKEN,
                "progress_current": 3.0,
                "progress_total": 4.5,
                "progress_note": "ü 🛫",
                "meta": '{"seen":[1]}',
                "log": "first\nsecond 🛬",
                "updated_at": after(1),
            }
        }

    def test_what_was_not_said_is_null(self, engine):
        job = running(engine)
        engine.note([noted(job, Note())])
        (stored,) = notes().values()
        assert [name for name, value in stored.items() if value is None] == [
            "progress_current",
            "progress_total",
            "meta",
            "log",
        ]

    def test_newer_words_take_the_place_of_older_ones(self, engine):
        enqueue(engine, 2)
        a, b = claim(engine, 2)
        engine.note([noted(a)])
        newer = Note(Progress(4), None, "third")
        engine.note([noted(a, newer, seconds=2), noted(b, newer)])
        stored = notes()
        assert stored[a.id] == {**stored[b.id], "updated_at": after(2)}
        assert (stored[a.id]["progress_current"], stored[a.id]["progress_note"]) == (4.0, "")
        assert (stored[a.id]["meta"], stored[a.id]["log"]) == (None, "third")

    def test_a_run_that_is_not_ours_writes_nothing(self, engine):
        enqueue(engine, 3)
        ours, stale, ended = claim(engine, 3)
        engine.ack([done(ended)])
        engine.note([noted(stale, token=STALE), noted(ours), noted(ended)])
        assert list(notes()) == [ours.id]

    def test_the_last_words_of_a_rescued_run_do_not_hide_those_of_the_next(self, engine):
        job = running(engine)
        engine.rescue(now=after(61), limit=10)
        (again,) = claim(engine, token=2)
        engine.note([noted(again, Note(Progress(1)))])
        engine.note([noted(job)])
        assert notes()[job.id]["progress_current"] == 1.0

    def test_what_cannot_be_stored_is_dropped_and_keeps_no_other_back(self, engine, caplog):
        enqueue(engine, 3)
        a, b, c = claim(engine, 3)
        engine.note([noted(a), noted(b, Note(log="\ud800")), noted(c)])
        assert sorted(notes()) == sorted([a.id, c.id])
        assert str(b.id) in caplog.text

    def test_a_rollback_takes_it_back(self, engine):
        job = running(engine)
        with engine.transaction():
            engine.note([noted(job)])
            transaction.set_rollback(True)
        assert notes() == {}

    def test_six_hundred_at_once(self, engine):
        enqueue(engine, 600)
        engine.note([noted(job) for job in claim(engine, 600)])
        assert len(notes()) == 600

    def test_nothing_to_note_costs_nothing(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            engine.note([])


@pytest.mark.django_db(transaction=True)
class TestNotesAtOnce:
    def test_notes_and_acks_of_the_same_jobs_never_wait_in_a_ring(self, engine):
        enqueue(engine, 60)
        jobs = claim(engine, 60)
        together = threading.Barrier(2)
        failures: list[Exception] = []

        def write(work) -> None:
            try:
                together.wait()
                for start in range(0, 60, 6):
                    work(jobs[start : start + 6])
            except Exception as error:
                failures.append(error)
            finally:
                connections.close_all()

        writers = [
            lambda part: engine.note([noted(job) for job in reversed(part)]),
            lambda part: engine.ack([spoken(done(job)) for job in part]),
        ]
        threads = [threading.Thread(target=write, args=(work,)) for work in writers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert set(statuses().values()) == {"completed"}
        assert logs() == [SAID.log] * 60


@pytest.mark.django_db
class TestMetas:
    def test_only_saved_ones_are_returned(self, engine):
        enqueue(engine, 3)
        a, b, c = claim(engine, 3)
        engine.note([noted(a), noted(b, Note(Progress(1)))])
        assert engine.metas([a.id, b.id, c.id]) == {a.id: '{"seen":[1]}'}

    def test_they_outlive_the_run_and_the_requeue(self, engine):
        job = running(engine, max_attempts=1)
        engine.note([noted(job)])
        engine.ack([failed(job)])
        engine.requeue([job.id], now=after(5))
        assert engine.metas([job.id]) == {job.id: '{"seen":[1]}'}

    def test_nothing_to_look_for_costs_nothing(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert engine.metas([]) == {}


@pytest.mark.django_db
class TestAckOfWhatSpoke:
    @pytest.mark.parametrize("outcome", sorted(AttemptOutcome))
    def test_the_attempt_keeps_the_log_however_it_ended(self, engine, outcome):
        job = running(engine)
        assert engine.ack([spoken(done(job, outcome))]) == []
        assert logs() == [SAID.log]

    def test_each_attempt_keeps_its_own(self, engine):
        job = running(engine)
        engine.ack([spoken(failed(job, retry_in=0))])
        (again,) = claim(engine, token=2)
        engine.ack([spoken(done(again), Note(log="better"))])
        assert logs() == [SAID.log, "better"]

    def test_a_run_beside_a_refused_one_keeps_its_own(self, engine):
        enqueue(engine, 2)
        a, b = claim(engine, 2)
        assert len(engine.ack([spoken(done(a)), done(b, token=STALE)])) == 1
        assert logs() == [SAID.log]

    def test_a_log_that_cannot_be_stored_fails_the_attempt_and_no_other(self, engine):
        enqueue(engine, 2)
        a, b = claim(engine, 2)
        (amended,) = engine.ack([spoken(done(a), Note(log="\ud800")), spoken(done(b))])
        assert amended.outcome.outcome is AttemptOutcome.FAILED
        assert statuses()[b.id] == "completed"
        assert sorted(logs(), key=str) == [None, SAID.log]

    def test_a_rescued_run_keeps_what_its_worker_had_written(self, engine):
        job = running(engine, max_attempts=5)
        engine.note([noted(job)])
        engine.start([Started(Held(job.id, TOKEN), NOW)])
        engine.rescue(now=after(61), limit=10)
        assert logs() == [SAID.log]

    def test_a_rescued_run_that_said_nothing_does_not_get_the_words_of_the_one_before(self, engine):
        job = running(engine)
        engine.note([noted(job)])
        engine.ack([failed(job, retry_in=0)])
        claim(engine, token=2)
        engine.rescue(now=after(61), limit=10)
        assert logs() == [None, None]


@pytest.mark.django_db
class TestRequeueOfWhatSpoke:
    def test_a_new_round_begins_without_progress_and_with_the_meta(self, engine):
        job = running(engine, max_attempts=1)
        engine.note([noted(job)])
        engine.ack([spoken(failed(job))])
        assert engine.requeue([job.id], now=after(10)) == 1
        (stored,) = notes().values()
        assert (stored["progress_current"], stored["progress_total"], stored["progress_note"]) == (
            None,
            None,
            "",
        )
        assert (stored["meta"], stored["log"]) == ('{"seen":[1]}', None)
        assert logs() == [SAID.log]

    def test_a_running_job_keeps_what_it_says(self, engine):
        job = running(engine)
        engine.note([noted(job)])
        before = notes()
        assert engine.requeue([job.id], now=after(10)) == 0
        assert notes() == before

    def test_a_pruned_job_takes_it_along(self, engine):
        gone, kept = running(engine), running(engine, queue="b", token=2)
        engine.note([noted(gone), noted(kept)])
        engine.ack([done(gone)])
        assert engine.prune(Status.COMPLETED, before=after(50), limit=10) == 1
        assert list(notes()) == [kept.id]
