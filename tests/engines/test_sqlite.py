"""SQLite's own engine."""

from __future__ import annotations

import pytest

from django_jobs.engines import Engine
from django_jobs.engines.sqlite import SQLiteEngine
from tests.engines.conformance import *  # noqa: F403

pytestmark = pytest.mark.only_on("sqlite")


@pytest.fixture
def engine() -> Engine:
    return SQLiteEngine("default")
