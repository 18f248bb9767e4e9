"""The database's time, without asking for it at every statement."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django_jobs.engines import Engine
from django_jobs.wire.clock import boottime_ns


class DatabaseClock:
    """The database's clock as last measured, carried on by CLOCK_BOOTTIME.

    A host whose own clock is wrong, or is set while the worker runs, still writes right times. Where the
    database has no other clock than the host's, nothing is carried on: by it all others reckon at once.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._measured_ns = boottime_ns()
        self._measured = datetime.now(UTC)

    def measure(self) -> None:
        """Read the database's clock."""
        self._measured_ns = boottime_ns()
        self._measured = self._engine.read_clock()

    def now(self) -> datetime:
        """Return the database's time, aware, in UTC."""
        if self._engine.on_hosts_clock:
            self._measured_ns, self._measured = boottime_ns(), datetime.now(UTC)
        return self.at(boottime_ns())

    def at(self, ns: int) -> datetime:
        """Return the database's time at a moment of CLOCK_BOOTTIME (nanoseconds)."""
        return self._measured + timedelta(0, 0, (ns - self._measured_ns) // 1000)
