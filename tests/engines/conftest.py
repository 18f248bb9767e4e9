from __future__ import annotations

from collections.abc import Iterator

import pytest

from django_jobs.engines import Engine
from django_jobs.engines.listening import Listener

# The suite lies in modules that pytest does not collect by themselves.
for room in (
    "enqueueing",
    "claiming",
    "counting",
    "finishing",
    "expiring",
    "removing",
    "replaying",
    "upkeep",
    "repeating",
    "listening",
    "transitions",
    "plans",
    "limits",
):
    pytest.register_assert_rewrite(f"tests.engines.conformance.{room}")


@pytest.fixture
def listener(engine: Engine) -> Iterator[Listener]:
    """Return an open listener that has heard all there was before."""
    from tests.engines.conformance.listening import drain

    made = engine.listener()
    drain(made)
    yield made
    made.close()
