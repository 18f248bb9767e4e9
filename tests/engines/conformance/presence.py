from __future__ import annotations

import threading

import pytest
from django.db import connection, connections

from django_jobs.engines.rows import WorkerRow
from django_jobs.models import WorkerProcess
from tests.engines.conformance.making import NOW, after


def worker(worker_id: str = "w1") -> WorkerRow:
    return WorkerRow(worker_id, "host", 7, "mail* except old", 2, "0.1.0")


def appear(engine, *worker_ids: str, seconds: float = 0) -> None:
    for each in worker_ids:
        engine.appear(worker(each), started_at=NOW, now=after(seconds))


def seen() -> dict:
    return dict(WorkerProcess.objects.values_list("id", "seen_at"))


@pytest.mark.django_db
class TestAppear:
    def test_a_worker_that_appears_has_a_row_that_tells_all(self, engine):
        engine.appear(worker(), started_at=NOW, now=after(1))
        assert WorkerProcess.objects.values().get() == {
            **worker()._asdict(),
            "started_at": NOW,
            "seen_at": after(1),
        }

    def test_later_it_was_seen_later_and_nothing_else_changes(self, engine):
        appear(engine, "w1", "w2")
        before = WorkerProcess.objects.values().get(pk="w1")
        appear(engine, "w1", seconds=15)
        assert WorkerProcess.objects.values().get(pk="w1") == {**before, "seen_at": after(15)}
        assert seen()["w2"] == NOW

    def test_a_row_that_was_removed_comes_back(self, engine):
        appear(engine, "w1")
        engine.vanish(["w1"])
        appear(engine, "w1", seconds=15)
        assert seen() == {"w1": after(15)}


@pytest.mark.django_db(transaction=True)
class TestAppearBesideALock:
    def test_a_row_that_someone_locks_is_not_waited_for(self, engine):
        if not connection.features.has_select_for_update_skip_locked:
            pytest.skip("a row cannot be locked here, only the whole database")
        appear(engine, "w1")
        held, over = threading.Event(), threading.Event()

        def hold() -> None:
            try:
                with engine.transaction():
                    list(WorkerProcess.objects.select_for_update())
                    held.set()
                    over.wait(20)
            finally:
                held.set()
                connections.close_all()

        other = threading.Thread(target=hold)
        other.start()
        assert held.wait(20)
        try:
            _refuse_to_wait()
            appear(engine, "w1", seconds=15)
            assert engine.forget_workers(seen_before=after(60), limit=10) == 0
            assert seen() == {"w1": NOW}
        finally:
            over.set()
            other.join()
            connection.close()  # others may well wait
        appear(engine, "w1", seconds=30)
        assert seen() == {"w1": after(30)}


def _refuse_to_wait() -> None:
    setting = {"postgresql": "lock_timeout = '1s'", "mysql": "innodb_lock_wait_timeout = 1"}
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION {setting[connection.vendor]}")


@pytest.mark.django_db
class TestVanish:
    def test_only_these_rows_go_and_are_counted(self, engine):
        appear(engine, "w1", "w2", "w3")
        assert engine.vanish(["w1", "w3", "nobody"]) == 2
        assert list(seen()) == ["w2"]

    def test_nobody_is_no_query(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert engine.vanish([]) == 0


@pytest.mark.django_db
class TestForgetWorkers:
    def test_those_not_seen_since_go_and_others_stay(self, engine):
        appear(engine, "lost")
        appear(engine, "there", seconds=60)
        assert engine.forget_workers(seen_before=after(60), limit=10) == 1
        assert list(seen()) == ["there"]

    def test_no_more_go_at_once_than_asked_for(self, engine):
        appear(engine, "w1", "w2", "w3")
        assert engine.forget_workers(seen_before=after(60), limit=2) == 2
        assert engine.forget_workers(seen_before=after(60), limit=2) == 1
