"""The database's time: a server's carried on by a clock that nobody sets, SQLite's as the host has it now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from django_jobs.worker import clock as clock_module
from django_jobs.worker.clock import DatabaseClock
from tests.worker.fake_engine import FakeEngine

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = 10**9


class Clocks:
    """The host's two clocks, turned by the test, and the database's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, on_hosts_clock: bool) -> None:
        self.boottime_ns, self.host, self.server = 1000 * SECOND, NOON, NOON
        engine = FakeEngine()
        engine.on_hosts_clock = on_hosts_clock
        monkeypatch.setattr(engine, "read_clock", lambda: self.host if on_hosts_clock else self.server)
        monkeypatch.setattr(clock_module, "boottime_ns", lambda: self.boottime_ns)
        monkeypatch.setattr(clock_module, "datetime", self)
        self.database = DatabaseClock(engine)  # type: ignore[arg-type]

    def now(self, zone: object) -> datetime:
        """Return what the host's clock says."""
        return self.host

    def go_on(self, seconds: float) -> None:
        """Let time pass."""
        self.boottime_ns += int(seconds * SECOND)
        self.host += timedelta(seconds=seconds)
        self.server += timedelta(seconds=seconds)


@pytest.mark.parametrize("hours", [-24 * 365, -1, 1, 24 * 365])
def test_a_servers_time_goes_on_as_measured_however_the_hosts_clock_is_set(
    monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    clocks = Clocks(monkeypatch, on_hosts_clock=False)
    clocks.host += timedelta(hours=hours)
    clocks.database.measure()
    clocks.go_on(10)
    clocks.host -= timedelta(hours=2 * hours)
    clocks.go_on(4.5)
    assert clocks.database.now() == clocks.server == NOON + timedelta(seconds=14.5)


@pytest.mark.parametrize("hours", [-1, 1])
def test_on_the_hosts_clock_a_setting_counts_at_once(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    clocks = Clocks(monkeypatch, on_hosts_clock=True)
    clocks.database.measure()
    clocks.host += timedelta(hours=hours)
    clocks.go_on(10)
    assert clocks.database.now() == NOON + timedelta(hours=hours, seconds=10)


def test_two_moments_of_one_run_are_apart_by_what_passed_though_the_clock_is_set_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clocks = Clocks(monkeypatch, on_hosts_clock=True)
    began = clocks.boottime_ns
    clocks.go_on(3)
    ended = clocks.boottime_ns
    clocks.database.now()
    first = clocks.database.at(began)
    clocks.host -= timedelta(hours=1)
    assert clocks.database.at(ended) - first == timedelta(seconds=3)
