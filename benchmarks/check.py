"""Has something become much slower? `python -m benchmarks.check` tells within a minute.

What is compared was measured within the same minute, so that a slow machine slows down both. The bounds are
far from what is usual: noise does not reach them, and what breaks a habit of the code does. They are no
goals: those are in `benchmarks.goals`. A database that is not there is left out, and that is said.
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

from benchmarks.bench import each_found, fresh_project, machine
from benchmarks.ratios import Ratio, all_of

DATABASES = ("sqlite", "postgresql")


class Bound(NamedTuple):
    """What a ratio usually is, and how far to one side of it it may come."""

    usual: float
    bound: float

    def holds(self, value: float) -> bool:
        """Return whether a value is on the good side of the bound."""
        return value >= self.bound if self.bound < self.usual else value <= self.bound


# For SQLite and for PostgreSQL.
BOUNDS = {
    "enqueue: processor time of an ORM create()": (Bound(1.2, 2.5), Bound(1.3, 2.5)),
    "one of many at once: processor time of one alone": (Bound(0.2, 0.5), Bound(0.06, 0.2)),
    "drain: rate of the limit": (Bound(0.24, 0.05), Bound(0.75, 0.3)),
    "drain: processor time of the limit": (Bound(9, 22), Bound(5, 13)),
    "claim beside 200,000 others: time of one without them": (Bound(1, 5), Bound(1, 5)),
    "claim beside 200,000 others: rows read for each job": (Bound(0, 20), Bound(6, 20)),
    "from enqueue to start: of a second": (Bound(0.002, 0.15), Bound(0.004, 0.15)),
    "memory of a worker: of one process with Django": (Bound(2, 2.8), Bound(1.9, 2.8)),
    "processor time of an idle worker: of the clock's": (Bound(0.01, 0.06), Bound(0.005, 0.06)),
}


def check(database: str) -> int:
    """Print each ratio of one database; return how many are out of bounds."""
    with fresh_project(database):
        print(machine(), flush=True)
        return sum(not _judge(database, ratio) for ratio in all_of(database))


def _judge(database: str, ratio: Ratio) -> bool:
    bound = BOUNDS[ratio.name][DATABASES.index(database)]
    good = bound.holds(ratio.value)
    print(f"{database}: {words(ratio, bound)}", flush=True)
    return good


def words(ratio: Ratio, bound: Bound) -> str:
    """Return what is said of a ratio, and by how much it is out of its bound."""
    side = "least" if bound.bound < bound.usual else "most"
    said = f"{ratio.name}: {ratio.value:.3g}, usually {bound.usual:g}, at {side} {bound.bound:g}"
    if bound.holds(ratio.value):
        return said
    off = abs(ratio.value - bound.bound) / bound.bound
    return f"{said}: OUT OF BOUNDS by {off:.0%}"


def check_all() -> bool:
    """Check each database that is found; return whether all is well."""
    began = time.monotonic()
    good = each_found("benchmarks.check", DATABASES)
    print(f"checked in {time.monotonic() - began:.0f} s", flush=True)
    return good


def main() -> None:
    """Check one database, or all; exit with 1 where a ratio is out of bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES)
    given = parser.parse_args()
    if not (check(given.database) == 0 if given.database else check_all()):
        raise SystemExit("a ratio is out of bounds: see above")


if __name__ == "__main__":
    main()
