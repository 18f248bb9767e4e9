"""A clock for what paces itself by how long its steps take, and what an engine says of removals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from django_jobs.duties import stride
from django_jobs.engines.nature import Removal

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MOST, RESTS = 70, 4


class Clock:
    """Stands still, but while something is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moment = 1000.0
        monkeypatch.setattr(stride, "boottime", lambda: self.moment)


class Removing:
    """An engine to which a row is removed in so many seconds by that clock, after a wait for a lock."""

    def __init__(self, clock: Clock, *, seconds: float = 0.001, waits: float = 0.0) -> None:
        self.clock, self.seconds, self.waits = clock, seconds, waits
        self.removal = Removal(most=MOST, seconds=MOST * 0.0015, rests=RESTS)
        self.limits: list[int] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.clock.moment += self.waits
        yield

    def removes(self, rows: int, limit: int) -> int:
        """Remove up to so many of these rows; return how many."""
        self.limits.append(limit)
        removed = min(rows, limit)
        self.clock.moment += removed * self.seconds
        return removed


def after_rest(rows: int, seconds: float = 0.001) -> datetime:
    """Return when the next turn comes after a step of so many rows."""
    return NOW + timedelta(seconds=RESTS * rows * seconds)
