"""PostgreSQL's own engine."""

from __future__ import annotations

import pytest

from django_jobs.engines import Engine, engine_for
from django_jobs.engines.postgresql import PostgreSQLEngine
from tests.engines.conformance import *  # noqa: F403

pytestmark = pytest.mark.only_on("postgresql")


@pytest.fixture
def engine() -> Engine:
    return PostgreSQLEngine("default")


def test_the_vendor_s_engine_is_the_one_in_use() -> None:
    assert type(engine_for("default")) is PostgreSQLEngine
