"""What the tests of the worker's rooms share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.worker.making import Shop, shop


@pytest.fixture
def floor_with_two() -> Iterator[Shop]:
    """Return a floor with two living runners that wait for work."""
    with shop(count=2) as made:
        made.born(0, 1)
        yield made
