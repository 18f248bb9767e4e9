"""What the tests of duties share."""

from __future__ import annotations

import pytest

from tests.duties.removing import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock of those that measure their steps."""
    return Clock(monkeypatch)
