from __future__ import annotations

from collections.abc import Iterator

import pytest

from django_jobs.engines import Engine
from django_jobs.engines.listening import Listener


@pytest.fixture
def listener(engine: Engine) -> Iterator[Listener]:
    """Return an open listener that has heard all there was before."""
    from tests.engines.conformance.listening import drain

    made = engine.listener()
    drain(made)
    yield made
    made.close()
