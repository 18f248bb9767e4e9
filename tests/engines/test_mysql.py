"""MySQL's own engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_jobs.engines import Engine, engine_for
from django_jobs.engines.mysql import MySQLEngine
from tests.engines.conformance import *  # noqa: F403
from tests.engines.conformance.limits import TestPrepare  # noqa: F401
from tests.engines.conformance.locking import TestLocks  # noqa: F401
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
