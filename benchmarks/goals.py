"""What we want to reach on two cores, database by database, and whether a run has reached it."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks import measures


class Goal(NamedTuple):
    """A bound for the median of a figure; None where there is none for a database."""

    name: str
    unit: str
    sqlite: float | None
    postgresql: float | None
    at_least: bool = True

    def bound(self, database: str) -> float | None:
        """Return the bound for one database."""
        return {"sqlite": self.sqlite, "postgresql": self.postgresql}[database]

    def reached(self, database: str, median: float) -> bool:
        """Return whether such a median is within the bound."""
        bound = self.bound(database)
        assert bound is not None
        return median >= bound if self.at_least else median <= bound


GOALS = [
    Goal(measures.ONE_BY_ONE, "/s", 8_000, 1_700),
    Goal(measures.AT_ONCE, "/s", 35_000, 38_000),
    Goal(measures.DRAIN, "/s", 10_000, 8_000),
    Goal(measures.of_the_limit(measures.DRAIN), "%", 25, 50),
    Goal("beside 2,000,000 others, of the rate beside nothing", "%", 90, 90),
    Goal(measures.of_one_worker(measures.TWO_WORKERS), "%", 100, 130),
    Goal(measures.START_P50, "ms", 2, 3, at_least=False),
    Goal(measures.START_P99, "ms", 8, 8, at_least=False),
    Goal("an idle worker's processor time", "s/min", 0.4, 0.4, at_least=False),
    Goal("an idle worker's transactions", "/min", None, 60, at_least=False),
    Goal("memory, a worker of two runners together", "MB", 75, 85, at_least=False),
]
