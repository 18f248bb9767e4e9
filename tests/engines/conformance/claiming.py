from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import chain

import pytest
from django.db import connection, connections, transaction
from django.db.models import Count

from django_jobs.engines import Engine
from django_jobs.engines.rows import Held, NewJob, Released, Started
from django_jobs.engines.stretches import Place
from django_jobs.models import Job
from django_jobs.states import Status
from tests.engines.conformance.making import (
    LEASE,
    NOW,
    TOKEN,
    after,
    analyze,
    claim,
    columns,
    enqueue,
    new,
    row,
    running,
    statuses,
)
from tests.tiers import by_tier

# How many claims each of two workers makes at the same time.
CLAIMS = by_tier(100, 100, 500)
# One name each where case, accents or emoji do not count, as by default on MariaDB.
ALIKE = [("mail", "Mail"), ("cafe", "café"), ("🛫", "🛬"), ("ss", "ß")]


@pytest.mark.django_db
class TestClaim:
    def test_a_claim_brings_all_a_worker_needs_and_marks_the_row(self, engine):
        job = new(queue="mail", priority=5, run_after=after(-0.5), options="{}", max_attempts=4, timeout=None)
        engine.enqueue([job])
        before = row(job)
        (claimed,) = claim(engine, 5, "mail")
        assert claimed._asdict() == {
            **{name: before[name] for name in claimed._fields if name not in ("token", "meta")},
            "token": TOKEN,
            "meta": None,
        }
        assert claimed.number == 1
        assert row(job) == {
            **before,
            "status": Status.RUNNING,
            "worker_id": "w1",
            "claim_token": TOKEN,
            "lease": LEASE,
        }

    def test_priority_goes_first_then_due_time_then_id(self, engine):
        jobs = [
            new(priority=priority, run_after=after(due))
            for priority, due in [(-10, -9), (0, 0), (0, -1), (100, 0), (0, 0)]
        ]
        engine.enqueue(jobs)
        low, zero, older, high, last = (job.id for job in jobs)
        assert [job.id for job in claim(engine, 9)] == [high, older, zero, last, low]

    def test_the_best_of_several_queues_are_merged(self, engine):
        a = enqueue(engine, 3, queue="a", priority=1)
        b = enqueue(engine, 3, queue="b", priority=2)
        found = claim(engine, 4, "a", "b", "a", "empty")
        assert [job.id for job in found] == [*(job.id for job in b), a[0].id]
        assert sorted(statuses().values()) == ["ready"] * 2 + ["running"] * 4

    @pytest.mark.parametrize("n", [1, 3, 10])
    def test_never_more_than_asked_for(self, engine, n):
        enqueue(engine, 6, queue="a")
        enqueue(engine, 6, queue="b")
        assert len(claim(engine, n, "a", "b")) == n
        assert Job.objects.running().count() == n

    def test_only_the_queues_asked_for(self, engine):
        (other,) = enqueue(engine, queue="reports", priority=100)
        enqueue(engine)
        assert [job.queue for job in claim(engine, 9)] == ["default"]
        assert statuses()[other.id] == "ready"

    @pytest.mark.parametrize(("one", "other"), ALIKE)
    def test_names_that_look_alike_are_two_queues(self, engine, one, other):
        enqueue(engine, queue=one)
        (theirs,) = enqueue(engine, queue=other)
        assert [job.id for job in claim(engine, 9, other)] == [theirs.id]

    def test_very_many_queues_are_claimed_from(self, engine):
        enqueue(engine, queue="q7")
        enqueue(engine, queue="q599", priority=1)
        found = claim(engine, 9, *(f"q{number}" for number in range(600)))
        assert [job.queue for job in found] == ["q599", "q7"]

    def test_a_thousand_at_once(self, engine):
        enqueue(engine, 1100)
        assert len(claim(engine, 1000)) == 1000
        assert Job.objects.running().count() == 1000

    def test_nothing_to_claim_costs_nothing(self, engine, django_assert_num_queries):
        enqueue(engine)
        with django_assert_num_queries(0):
            assert engine.claim([], 5, worker_id="w1", token=TOKEN, lease=LEASE) == []
            assert engine.claim(["default"], 0, worker_id="w1", token=TOKEN, lease=LEASE) == []

    def test_a_job_interrupted_too_often_is_claimed_with_its_start_stored(self, engine):
        tired, fresh = enqueue(engine, 2)
        Job.objects.filter(pk=tired.id).update(interruptions=5)
        Job.objects.filter(pk=fresh.id).update(interruptions=4)
        earliest = engine.read_clock()
        assert {job.id: job.interruptions for job in claim(engine, 2)} == {tired.id: 5, fresh.id: 4}
        assert earliest <= columns(tired, "started_at")[0] <= engine.read_clock()
        assert columns(fresh, "started_at") == (None,)


@pytest.mark.django_db(transaction=True)
class TestClaimsAtOnce:
    def test_four_at_once_get_every_job_once(self, engine):
        jobs = enqueue(engine, 500)
        taken: list[list] = [[] for _ in range(4)]
        together = threading.Barrier(4)

        def work(mine: list, token: int) -> None:
            try:
                together.wait()
                while len(set(chain.from_iterable(taken))) < 500:
                    mine += [job.id for job in claim(engine, 7, token=token)]
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work, args=(mine, token)) for token, mine in enumerate(taken, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(chain.from_iterable(taken)) == sorted(job.id for job in jobs)
        for token, mine in enumerate(taken, 1):
            assert set(Job.objects.filter(claim_token=token).values_list("pk", flat=True)) == set(mine)

    @pytest.mark.parametrize("n", [1, 2, 5])
    def test_beside_an_open_claim_the_best_of_what_it_does_not_lock_is_taken(self, engine, n):
        queues = ("a", "b", "c")
        priorities = [number * 37 % 60 for number in range(60)]
        engine.enqueue([new(queue=queues[index % 3], priority=each) for index, each in enumerate(priorities)])
        for token in range(2, 6):
            with _open_claim(engine, n, *queues, token=token):
                best = sorted((job.priority for job in _unlocked()), reverse=True)[:n]
                taken = claim(engine, n, *queues, token=TOKEN - token)
                assert [job.priority for job in taken] == best

    @pytest.mark.faults
    def test_two_at_once_with_stale_statistics_take_no_more_than_they_ask_for(self, engine):
        enqueue(engine)
        analyze(Job._meta.db_table)
        for queue in ("a", "b"):
            enqueue(engine, 11 * CLAIMS, queue=queue)
        taken: dict[int, int] = {}
        together = threading.Barrier(2)

        def work(tokens: range) -> None:
            try:
                together.wait()
                for token in tokens:
                    taken[token] = len(claim(engine, 10, "a", "b", token=token))
            finally:
                connections.close_all()

        threads = [
            threading.Thread(target=work, args=(range(first, first + CLAIMS),)) for first in (1, 1 + CLAIMS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert taken == dict.fromkeys(range(1, 2 * CLAIMS + 1), 10)
        marked = Job.objects.running().values_list("claim_token").annotate(Count("pk"))
        assert dict(marked) == taken

    def test_a_claim_does_not_see_what_is_not_committed(self, engine):
        found: list = []

        def look() -> None:
            try:
                found.extend(engine.ready_queues())
            finally:
                connections.close_all()

        with engine.transaction():
            enqueue(engine)
            other = threading.Thread(target=look)
            other.start()
            other.join()
        assert found == []
        assert engine.ready_queues() == ["default"]


@contextmanager
def _open_claim(engine: Engine, n: int, *queues: str, token: int) -> Iterator[None]:
    """Let another connection claim and, where others need not wait for that, not commit it meanwhile."""
    claimed, over = threading.Event(), threading.Event()
    whole_table = not connection.features.has_select_for_update_skip_locked

    def work() -> None:
        try:
            with nullcontext() if whole_table else engine.transaction():
                claim(engine, n, *queues, token=token)
                claimed.set()
                over.wait(20)
        finally:
            claimed.set()
            connections.close_all()

    other = threading.Thread(target=work)
    other.start()
    assert claimed.wait(20)
    try:
        yield
    finally:
        over.set()
        other.join()


def _unlocked() -> list[Job]:
    with transaction.atomic():
        ready = Job.objects.ready()
        if connection.features.has_select_for_update_skip_locked:
            ready = ready.select_for_update(skip_locked=True)
        return list(ready)


@pytest.mark.django_db
class TestReadyQueues:
    def test_each_queue_with_a_ready_job_once_and_sorted(self, engine):
        for queue in ("mail", "default", "mail", "a b"):
            enqueue(engine, 3, queue=queue)
        enqueue(engine, queue="later", status=Status.SCHEDULED)
        assert engine.ready_queues() == ["a b", "default", "mail"]

    @pytest.mark.parametrize("names", ALIKE)
    def test_of_names_that_look_alike_none_is_passed_over(self, engine, names):
        for queue in names * 2:
            enqueue(engine, queue=queue)
        assert sorted(engine.ready_queues()) == sorted(names)

    def test_none_ready_is_none(self, engine):
        running(engine)
        assert engine.ready_queues() == []


@pytest.mark.django_db
class TestStart:
    def test_the_start_is_stored_under_its_fence_only(self, engine):
        ours, theirs = running(engine), running(engine, token=2)
        before = row(theirs)
        engine.start([Started(Held(ours.id, TOKEN), after(1)), Started(Held(theirs.id, TOKEN), after(1))])
        assert columns(ours, "started_at", "status") == (after(1), Status.RUNNING)
        assert row(theirs) == before

    def test_nothing_to_start_costs_nothing(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            engine.start([])


@pytest.mark.django_db
class TestRenew:
    def test_claims_of_several_tokens_are_extended(self, engine):
        jobs = [running(engine, token=token) for token in (1, 2, 2)]
        assert engine.renew([Held(job.id, job.token) for job in jobs], lease=after(120)) == []
        assert set(Job.objects.values_list("lease", flat=True)) == {after(120)}

    def test_those_no_longer_ours_are_told_and_left_alone(self, engine):
        ours, theirs, released = running(engine, token=1), running(engine, token=2), running(engine, token=3)
        engine.release([Released(Held(released.id, 3))])
        before = row(theirs), row(released)
        lost = [Held(theirs.id, 1), Held(released.id, 3)]
        assert sorted(engine.renew([Held(ours.id, 1), *lost], lease=after(120))) == sorted(lost)
        assert columns(ours, "lease") == (after(120),)
        assert (row(theirs), row(released)) == before

    def test_nothing_to_renew_costs_nothing(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert engine.renew([], lease=NOW) == []


@pytest.mark.django_db
class TestClaimedBy:
    def test_a_worker_finds_the_claims_in_its_name_and_no_others(self, engine):
        first, second = running(engine), running(engine, token=2)
        ended = running(engine, token=3)
        engine.release([Released(Held(ended.id, 3))])
        enqueue(engine)
        assert sorted(engine.claimed_by("w1")) == sorted([Held(first.id, TOKEN), Held(second.id, 2)])
        assert engine.claimed_by("w2") == []


@pytest.mark.django_db
class TestClaimPast:
    def test_all_that_lies_past_the_places_is_claimed_in_the_order_of_every_claim(self, engine):
        jobs = [
            *(
                new(priority=priority, run_after=after(due))
                for priority in (9, 5, 0, -5)
                for due in (1, 2, 3)
            ),
            *(new(queue="other", run_after=after(due)) for due in (1, 2)),
            new(queue="not asked for"),
        ]
        engine.enqueue(jobs)
        left_off = {(5, after(1)), (0, after(2))}
        past = [place(job) for job in jobs[:12] if (job.priority, job.run_after) in left_off]
        past.append(Place("empty", 3, NOW, jobs[0].id))
        must_be_found = {
            (job.queue, job.priority, job.run_after)
            for job in jobs
            if job.queue == "other" or any(place(job)[:2] == each[:2] and place(job) > each for each in past)
        }
        marks = {"worker_id": "w1", "token": TOKEN, "lease": LEASE}
        found = engine.claim(["default", "other"], 99, **marks, past=past)
        claimed = [(job.queue, job.priority, job.run_after) for job in found]
        assert [(-priority, due) for _, priority, due in claimed] == sorted(
            (-priority, due) for _, priority, due in claimed
        )
        asked = {(job.queue, job.priority, job.run_after) for job in jobs} - {("not asked for", 0, NOW)}
        assert must_be_found <= set(claimed) <= asked

    def test_of_those_that_are_due_together_the_id_decides(self, engine):
        jobs = sorted(enqueue(engine, 6), key=lambda job: job.id)
        marks = {"worker_id": "w1", "token": TOKEN, "lease": LEASE}
        found = engine.claim(["default"], 99, **marks, past=[place(jobs[2])])
        assert {job.id for job in jobs[3:]} <= {job.id for job in found}

    def test_never_more_than_asked_for_are_claimed(self, engine):
        jobs = [new(priority=priority) for priority in (5, 0, -5) for _ in range(9)]
        engine.enqueue(jobs)
        marks = {"worker_id": "w1", "token": TOKEN, "lease": LEASE}
        found = engine.claim(["default"], 7, **marks, past=[place(jobs[0]), place(jobs[9])])
        assert len(found) == Job.objects.running().count() == 7


def place(job: NewJob) -> Place:
    """Return where a claim left off that ended with this job."""
    return Place(job.queue, job.priority, job.run_after, job.id)
