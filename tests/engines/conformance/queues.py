from __future__ import annotations

import threading

import pytest
from django.db import connections, transaction

from django_jobs.models import Queue
from django_jobs.states import Status
from tests.engines.conformance.claiming import ALIKE
from tests.engines.conformance.making import NOW, after, claim, enqueue


@pytest.mark.django_db
class TestPause:
    def test_paused_queues_are_told_sorted(self, engine):
        assert engine.pause(["reports", "mail"], now=NOW) == 2
        assert engine.paused() == ["mail", "reports"]

    def test_only_what_was_not_paused_counts_and_keeps_its_first_moment(self, engine):
        engine.pause(["mail"], now=NOW)
        assert engine.pause(["mail", "reports", "reports"], now=after(5)) == 1
        assert dict(Queue.objects.values_list("name", "paused_at")) == {"mail": NOW, "reports": after(5)}

    @pytest.mark.parametrize(("one", "other"), ALIKE)
    def test_of_names_that_look_alike_only_the_one_is_paused(self, engine, one, other):
        engine.pause([other], now=NOW)
        assert engine.paused() == [other]
        assert engine.pause([one], now=NOW) == 1
        assert engine.resume([other]) == 1
        assert engine.paused() == [one]

    def test_a_paused_queue_takes_jobs(self, engine):
        engine.pause(["mail"], now=NOW)
        enqueue(engine, queue="mail")
        assert engine.ready_queues() == ["mail"]

    def test_an_idle_worker_is_told_of_paused_and_ready_queues_and_of_the_next_that_is_due(self, engine):
        assert engine.outlook() == ([], [], None)
        engine.pause(["reports", "mail"], now=NOW)
        for queue in ("default", "b", "mail"):
            enqueue(engine, queue=queue)
        for seconds in (60, 30):
            enqueue(engine, queue="later", status=Status.SCHEDULED, run_after=after(seconds))
        assert engine.outlook() == (["b", "default", "mail"], ["mail", "reports"], after(30))

    def test_a_pause_that_is_rolled_back_never_was(self, engine):
        with engine.transaction():
            engine.pause(["mail"], now=NOW)
            transaction.set_rollback(True, using=engine.alias)
        assert engine.paused() == []

    def test_no_queue_is_no_query(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert engine.pause([], now=NOW) == engine.resume([]) == 0


@pytest.mark.django_db
class TestResume:
    def test_only_paused_queues_count(self, engine):
        engine.pause(["mail", "reports"], now=NOW)
        assert engine.resume(["mail", "mail", "never paused"]) == 1
        assert engine.resume(["mail"]) == 0
        assert engine.paused() == ["reports"]

    def test_a_queue_has_a_row_only_while_it_is_paused(self, engine):
        engine.pause(["mail"], now=NOW)
        engine.resume(["mail"])
        assert not Queue.objects.exists()
        assert engine.pause(["mail"], now=after(5)) == 1
        assert Queue.objects.get().paused_at == after(5)

    def test_jobs_of_the_time_of_the_pause_are_claimed_after_it(self, engine):
        engine.pause(["mail"], now=NOW)
        (job,) = enqueue(engine, queue="mail")
        engine.resume(["mail"])
        assert [each.id for each in claim(engine, 9, "mail")] == [job.id]


@pytest.mark.django_db
class TestQueuesThereAre:
    def test_queues_are_told_by_the_status_of_their_jobs(self, engine):
        enqueue(engine, queue="mail")
        enqueue(engine, queue="Mail")
        enqueue(engine, queue="reports", status=Status.DEAD)
        assert engine.queues_with(Status.READY) == ["Mail", "mail"]
        assert engine.queues_with(Status.DEAD) == ["reports"]
        assert engine.queues_with(Status.RUNNING) == []

    def test_jobs_are_counted_by_queue_and_status_up_to_a_cap(self, engine):
        for status, count in [(Status.READY, 2), (Status.DEAD, 5)]:
            for _ in range(count):
                enqueue(engine, queue="mail", status=status)
        enqueue(engine, queue="Mail")
        none = dict.fromkeys(Status, 0)
        names = ["mail", "Mail", "nobody", *(f"q{number}" for number in range(60))]
        depths = engine.depths(names, cap=3)
        assert list(depths) == names
        assert depths["mail"] == {**none, "ready": 2, "dead": 3}
        assert depths["Mail"] == {**none, "ready": 1}
        assert depths["nobody"] == depths["q59"] == none

    def test_no_queue_is_counted_by_no_query(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert engine.depths([], cap=3) == {}


@pytest.mark.django_db(transaction=True)
class TestPausesAtOnce:
    def test_of_four_that_pause_the_same_queues_each_queue_is_counted_once(self, engine):
        names = [f"q{number}" for number in range(20)]
        together, counts = threading.Barrier(4), []

        def pause(order: int) -> None:
            try:
                together.wait()
                counts.append(engine.repeated(lambda: engine.pause(names[::order], now=NOW)))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=pause, args=(order,)) for order in (1, -1, 1, -1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(counts) == 4
        assert sum(counts) == 20
        assert engine.paused() == sorted(names)
