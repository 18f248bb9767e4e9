from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError, connections, transaction
from django.db.models import Sum

from django_jobs.engines.rows import Count, Run
from django_jobs.engines.tally import StoodStill, Tally
from django_jobs.models import Counter
from django_jobs.states import AttemptOutcome
from tests.engines.conformance.making import NOW, after

LATER = NOW + timedelta(hours=1)


def count_row(**values: Any) -> Count:
    """Return the counter of three runs that took 2, 2 and 40 ms after a second each."""
    plain = {
        "minute": NOW,
        "worker_id": "w1",
        "function": "tests.jobs.add",
        "queue": "default",
        "outcome": "completed",
        "runs": 3,
        "queue_seconds": 3.0,
        "run_seconds": 0.044,
        "queue_histogram": '{"10":3}',
        "run_histogram": '{"2":2,"6":1}',
    }
    return Count(**{**plain, **values})


def stored(**filters: Any) -> list[Count]:
    """Return all counters, in the order of their key."""
    found = Counter.objects.filter(**filters).order_by("minute", "worker_id", "function", "queue", "outcome")
    return [Count(*values) for values in found.values_list(*Count._fields)]


def runs() -> int:
    """Return how many runs are counted in all."""
    return Counter.objects.aggregate(runs=Sum("runs"))["runs"] or 0


@pytest.mark.django_db
class TestCount:
    def test_a_counter_is_stored_and_then_replaced(self, engine):
        engine.count([count_row()])
        assert stored() == [count_row()]
        more = count_row(runs=5, run_seconds=1.5, run_histogram='{"2":4,"11":1}')
        engine.count([more])
        engine.count([more])
        assert stored() == [more]

    @pytest.mark.parametrize(
        "other",
        [
            {"minute": after(60)},
            {"worker_id": "w2"},
            {"function": "tests.jobs.Add"},
            {"queue": "Default"},
            {"queue": "défault"},
            {"outcome": "failed"},
        ],
    )
    def test_only_the_very_same_key_is_replaced(self, engine, other):
        engine.count([count_row()])
        engine.count([count_row(**other, runs=9)])
        assert sorted(count.runs for count in stored()) == [3, 9]

    def test_very_many_at_once(self, engine):
        engine.count([count_row(function=f"f{number}") for number in range(333)])
        assert Counter.objects.count() == 333

    def test_a_worker_s_counters_of_a_minute_are_read_back(self, engine):
        engine.count([count_row(), count_row(worker_id="w2"), count_row(minute=after(60))])
        assert engine.counts(minute=NOW, worker_id="w1") == [count_row()]

    def test_nothing_to_count_costs_nothing(self, engine, django_assert_num_queries):
        with django_assert_num_queries(0):
            engine.count([])


@pytest.mark.django_db
class TestFold:
    def test_the_workers_of_a_minute_become_one_row(self, engine):
        second = count_row(worker_id="w2", runs=1, queue_seconds=0.5, run_seconds=0.002)
        second = second._replace(queue_histogram='{"9":1}', run_histogram='{"2":1}')
        engine.count([count_row(), second, count_row(queue="mail")])
        assert engine.fold(before=LATER, limit=10) == 3
        assert stored() == [
            count_row(
                worker_id="",
                runs=4,
                queue_seconds=3.5,
                run_seconds=pytest.approx(0.046),
                queue_histogram='{"10":3,"9":1}',
                run_histogram='{"2":3,"6":1}',
            ),
            count_row(worker_id="", queue="mail"),
        ]

    def test_what_comes_late_is_added_to_what_was_folded(self, engine):
        for _ in range(3):
            engine.count([count_row()])
            assert engine.fold(before=LATER, limit=10) == 1
        assert [(count.worker_id, count.runs) for count in stored()] == [("", 9)]

    def test_folding_again_adds_nothing(self, engine):
        engine.count([count_row()])
        engine.fold(before=LATER, limit=10)
        folded = stored()
        assert engine.fold(before=LATER, limit=10) == 0
        assert stored() == folded

    def test_minutes_that_are_not_closed_stay_as_they_are(self, engine):
        engine.count([count_row()])
        assert engine.fold(before=NOW, limit=10) == 0
        assert stored() == [count_row()]

    def test_no_more_rows_than_the_limit_and_none_is_lost(self, engine):
        engine.count([count_row(worker_id=f"w{number}") for number in range(5)])
        assert [engine.fold(before=LATER, limit=2) for _ in range(4)] == [2, 2, 1, 0]
        assert [(count.worker_id, count.runs) for count in stored()] == [("", 15)]

    def test_names_that_look_alike_stay_apart(self, engine):
        engine.count([count_row(queue=queue) for queue in ("mail", "Mail", "máil")])
        assert engine.fold(before=LATER, limit=10) == 3
        assert [count.runs for count in stored(worker_id="")] == [3, 3, 3]


@pytest.mark.django_db(transaction=True)
class TestFoldsAtOnce:
    def test_several_at_once_add_every_row_once(self, engine):
        rows = [
            count_row(worker_id=f"w{worker}", minute=after(60 * minute), queue=f"q{worker % 2}")
            for worker in range(8)
            for minute in range(15)
        ]
        engine.count(rows)
        together, failures = threading.Barrier(3), []

        def work() -> None:
            try:
                together.wait()
                while Counter.objects.filter(worker_id__gt="").exists():
                    engine.repeated(lambda: engine.fold(before=LATER, limit=7))
            except Exception as error:
                failures.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert [count.runs for count in stored()] == [12] * 30
        assert {count.worker_id for count in stored()} == {""}

    def test_a_rollback_takes_a_fold_back(self, engine):
        engine.count([count_row()])
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            engine.fold(before=LATER, limit=10) / 0
        assert stored() == [count_row()]


@pytest.mark.django_db
class TestPruneCounters:
    def test_old_folded_counters_are_deleted_oldest_first(self, engine):
        engine.count([count_row(worker_id="", minute=after(60 * minute)) for minute in range(4)])
        assert engine.prune_counters(before=after(120), limit=1) == 1
        assert [count.minute for count in stored()] == [after(60), after(120), after(180)]
        assert engine.prune_counters(before=after(120), limit=10) == 1
        assert engine.prune_counters(before=after(120), limit=10) == 0
        assert [count.minute for count in stored()] == [after(120), after(180)]

    def test_what_is_not_folded_yet_is_kept(self, engine):
        engine.count([count_row()])
        assert engine.prune_counters(before=LATER, limit=10) == 0
        assert stored() == [count_row()]


COMPLETED = Run("tests.jobs.add", "default", AttemptOutcome.COMPLETED, 1.0, 0.002)


class Clock:
    """Tells one moment after the other, the last one for ever."""

    def __init__(self, *moments: datetime) -> None:
        self.moments = list(moments)

    def __call__(self) -> datetime:
        return self.moments.pop(0) if len(self.moments) > 1 else self.moments[0]


def counted(engine: Any, tally: Tally, *what: Run, now: Any = None) -> None:
    """Count these runs."""
    with tally.counting(engine, now=now or Clock(after(30))) as runs:
        runs += what


@pytest.mark.django_db(transaction=True)
class TestTally:
    def test_runs_are_added_up_by_function_queue_and_outcome(self, engine):
        tally = Tally("w1")
        counted(engine, tally, COMPLETED, COMPLETED, COMPLETED._replace(queue="mail"))
        counted(
            engine, tally, COMPLETED._replace(ran=0.04), COMPLETED._replace(outcome=AttemptOutcome.FAILED)
        )
        assert stored(outcome="completed") == [
            count_row(run_seconds=pytest.approx(0.044)),
            count_row(queue="mail", runs=1, queue_seconds=1.0, run_seconds=0.002)._replace(
                queue_histogram='{"10":1}', run_histogram='{"2":1}'
            ),
        ]
        assert [count.runs for count in stored(outcome="failed")] == [1]

    def test_a_run_without_times_is_counted_without_them(self, engine):
        counted(engine, Tally("w1"), Run("f", "q", AttemptOutcome.INTERRUPTED))
        (count,) = stored()
        assert count[5:] == (1, 0.0, 0.0, "{}", "{}")

    def test_a_new_minute_begins_at_nothing_and_an_older_one_goes_on_where_it_was(self, engine):
        tally = Tally("w1")
        for seconds in (0, 60, 59):
            counted(engine, tally, COMPLETED, now=Clock(after(seconds)))
        assert [(count.minute, count.runs) for count in stored()] == [(NOW, 2), (after(60), 1)]

    def test_what_was_rolled_back_is_not_counted_and_its_repetition_is(self, engine):
        tally = Tally("w1")
        counted(engine, tally, COMPLETED)
        for _ in range(2):
            with pytest.raises(StoodStill):
                counted(engine, tally, COMPLETED, now=Clock(NOW, LATER))
        assert runs() == tally.settled == 1
        counted(engine, tally, COMPLETED)
        assert runs() == tally.settled == 2

    def test_what_was_committed_without_an_answer_is_counted(self, engine):
        tally = Tally("w1")
        counted(engine, tally, COMPLETED)
        answers = _WithoutAnswer(engine)
        with pytest.raises(OperationalError):
            counted(answers, tally, COMPLETED)
        assert runs() == 2
        counted(engine, tally, COMPLETED)
        assert runs() == 3

    def test_a_worker_of_the_same_name_goes_on_counting(self, engine):
        counted(engine, Tally("w1"), COMPLETED)
        counted(engine, Tally("w1"), COMPLETED)
        assert runs() == 2

    def test_a_minute_that_may_be_closed_is_not_written_to(self, engine):
        tally = Tally("w1")
        counted(engine, tally, COMPLETED)
        slow = Clock(after(30), after(400))
        with pytest.raises(StoodStill):
            counted(engine, tally, COMPLETED, now=slow)
        engine.fold(before=after(100), limit=10)
        counted(engine, tally, COMPLETED, now=slow)
        assert [(count.worker_id, count.minute, count.runs) for count in stored()] == [
            ("", NOW, 1),
            ("w1", after(360), 1),
        ]

    def test_counters_that_cannot_be_written_keep_nothing_else_from_being(self, engine):
        tally, broken = Tally("w1"), _Broken(engine)
        with pytest.raises(DataError):
            counted(broken, tally, COMPLETED)
        counted(broken, tally, COMPLETED)
        assert broken.tried == 1

    def test_names_that_no_database_stores_are_counted_under_what_it_does(self, engine):
        spoilt: Any = [COMPLETED._replace(function="\ud800"), COMPLETED._replace(function=7, queue=b"\xff")]
        counted(engine, Tally("w1"), *spoilt)
        assert {(count.function, count.queue) for count in stored()} == {
            ("\ufffd", "default"),
            ("7", "b'\\xff'"),
        }


class _Other:
    """An engine that is another's but for one verb."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


class _WithoutAnswer(_Other):
    """Loses the connection while the answer to a COMMIT is under way."""

    def transaction(self) -> Any:
        return _Unanswered(self._engine.transaction())


class _Unanswered:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __enter__(self) -> None:
        self._inner.__enter__()

    def __exit__(self, *args: Any) -> None:
        self._inner.__exit__(*args)
        raise OperationalError("server closed the connection")


class _Broken(_Other):
    """Cannot write counters."""

    tried = 0

    def count(self, counts: Any) -> None:
        self.tried += 1
        raise DataError("no room")
