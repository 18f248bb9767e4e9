"""The portable engine, on whatever database the tests run on."""

from __future__ import annotations

import pytest

from django_jobs.engines import Engine
from tests.engines.conformance import *  # noqa: F403


@pytest.fixture
def engine() -> Engine:
    return Engine("default")
