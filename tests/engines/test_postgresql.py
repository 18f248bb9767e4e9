"""PostgreSQL's own engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.apps import apps

from django_jobs.engines import Engine, engine_for
from django_jobs.engines.postgresql import PostgreSQLEngine
from tests.engines.conformance import *  # noqa: F403
from tests.engines.conformance.limits import TestPrepare  # noqa: F401
from tests.engines.conformance.locking import TestLocks  # noqa: F401
from tests.engines.conformance.plans import TestPlansOfWhatWasSmall  # noqa: F401

pytestmark = pytest.mark.only_on("postgresql")


@pytest.fixture
def engine() -> Engine:
    return PostgreSQLEngine("default")


@pytest.fixture
def limit() -> Callable[[], float]:
    """Return what reads the limit of a statement's time, in seconds."""
    sql = "SELECT EXTRACT(epoch FROM current_setting('statement_timeout')::interval)"
    return lambda: engine_for("default").ask(sql)[0][0]


@pytest.mark.django_db
def test_our_tables_are_tidied_up_long_before_a_fifth_of_them_is_dead() -> None:
    for model in apps.get_app_config("django_jobs").get_models():
        if not model._meta.proxy:
            sql = "SELECT reloptions FROM pg_class WHERE oid = %s::regclass"
            assert engine_for("default").ask(sql, (model._meta.db_table,)) == [
                (["autovacuum_vacuum_scale_factor=0.01"],)
            ]


def test_the_vendor_s_engine_is_the_one_in_use() -> None:
    assert type(engine_for("default")) is PostgreSQLEngine
