"""MySQL's own engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from unittest import mock

import pytest
from django.db import connections, transaction

from django_jobs.engines import Engine, engine_for
from django_jobs.engines.mysql import MySQLEngine
from django_jobs.models import Job
from tests.engines.conformance import *  # noqa: F403
from tests.engines.conformance.limits import TestPrepare  # noqa: F401
from tests.engines.conformance.locking import TestLocks  # noqa: F401
from tests.engines.conformance.making import new
from tests.engines.conformance.plans import TestPlansOfWhatWasSmall  # noqa: F401

pytestmark = pytest.mark.only_on("mariadb")


@pytest.fixture
def engine() -> Engine:
    return MySQLEngine("default")


@pytest.fixture
def limit() -> Callable[[], float]:
    """Return what reads the limit of a statement's time, in seconds."""
    return lambda: engine_for("default").ask("SELECT @@max_statement_time")[0][0]


def test_the_vendor_s_engine_is_the_one_in_use() -> None:
    assert type(engine_for("default")) is MySQLEngine


@pytest.mark.django_db(transaction=True)
class TestTransaction:
    @pytest.fixture(autouse=True)
    def repeatable_read(self) -> Iterator[None]:
        """Have the project ask for what deadlocks those that look at an empty queue."""
        connections["default"].ensure_connection()
        with mock.patch.object(connections["default"], "isolation_level", "repeatable read"):
            engine_for("default").ask("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield
        connections.close_all()

    def _sees_what_is_committed_meanwhile(self, engine: Engine) -> bool:
        assert not Job.objects.exists()
        other = threading.Thread(target=self._enqueue, args=(engine,))
        other.start()
        other.join()
        return Job.objects.exists()

    def _enqueue(self, engine: Engine) -> None:
        engine.enqueue([new()])
        connections.close_all()

    def test_ours_are_read_committed_whatever_the_settings_say(self, engine):
        with engine.transaction():
            assert self._sees_what_is_committed_meanwhile(engine)

    def test_a_caller_s_own_stays_as_it_is(self, engine):
        with transaction.atomic(), engine.transaction():
            assert not self._sees_what_is_committed_meanwhile(engine)
