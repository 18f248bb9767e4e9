"""Two that need the same rows in opposite order: the database undoes one, and nobody hears of it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import Error, OperationalError, connections

from django_jobs.engines import Engine
from django_jobs.engines.transient import is_conflict
from django_jobs.models import Job
from tests.engines.conformance.making import enqueue


class Ring:
    """Two threads, each of which updates one of two rows and then the other's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ids = [job.id for job in enqueue(engine, 2)]
        self._both_hold_one = threading.Barrier(2)
        # On SQLite a transaction of ours begins with the one lock there is: no ring.
        self.can_close = engine.connection.vendor != "sqlite"
        self.writes = [0, 0]
        self.errors: list[Error] = []

    def close(self, write: Callable[[Callable[[], None]], None]) -> None:
        """Let both write, each through `write`, and wait for both."""
        threads = [threading.Thread(target=self._side, args=(mine, write)) for mine in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _side(self, mine: int, write: Callable[[Callable[[], None]], None]) -> None:
        try:
            write(lambda: self._update_both(mine))
        except Error as error:
            self.errors.append(error)
        finally:
            connections.close_all()

    def _update_both(self, mine: int) -> None:
        self.writes[mine] += 1
        with self._engine.transaction():
            self._touch(mine)
            if self.writes[mine] == 1 and self.can_close:
                self._both_hold_one.wait(20)
            self._touch(1 - mine)

    def _touch(self, index: int) -> None:
        Job.objects.filter(pk=self._ids[index]).update(reason=f"touched by {threading.get_ident()}")


@pytest.mark.django_db(transaction=True)
class TestRepeated:
    def test_a_deadlock_is_a_conflict_and_falls_on_one_of_the_two(self, engine):
        ring = Ring(engine)
        ring.close(lambda update: update())
        assert [is_conflict(error) for error in ring.errors] == [True] * ring.can_close

    def test_whoever_loses_a_deadlock_writes_again(self, engine):
        ring = Ring(engine)
        ring.close(engine.repeated)
        assert ring.errors == []
        assert sum(ring.writes) == 2 + ring.can_close

    def test_inside_a_callers_transaction_the_caller_is_told(self, engine):
        def within(update: Callable[[], None]) -> None:
            with engine.transaction():
                engine.repeated(update)

        ring = Ring(engine)
        ring.close(within)
        assert [is_conflict(error) for error in ring.errors] == [True] * ring.can_close
        assert sum(ring.writes) == 2

    def test_what_is_no_conflict_is_told_at_once(self, engine):
        tries: list[int] = []

        def fail() -> None:
            tries.append(1)
            raise OperationalError("away")

        with pytest.raises(OperationalError):
            engine.repeated(fail)
        assert len(tries) == 1

    def test_whoever_loses_again_and_again_is_told_in_the_end(self, engine, monkeypatch):
        monkeypatch.setattr("django_jobs.engines.portable.repeating.PAUSES", (0.0, 0.0))
        tries: list[int] = []

        def conflict() -> None:
            tries.append(1)
            raise OperationalError(1213, "Deadlock found when trying to get lock")

        with pytest.raises(OperationalError):
            engine.repeated(conflict)
        assert len(tries) == 3

    def test_the_value_is_returned(self, engine):
        assert engine.repeated(lambda: 7) == 7
