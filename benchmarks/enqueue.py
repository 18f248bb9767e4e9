"""What it costs to enqueue: `python -m benchmarks.enqueue [sqlite|postgresql|mariadb]`.

One by one, each committed when it returns; 20,000 at once; and as one of the statements of a request's own
transaction, where the price is what the transaction takes longer than without it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from benchmarks.bench import DATABASES, fresh_project, machine
from benchmarks.figures import Figure, tell, timed

REQUESTS = 500


def one_by_one(jobs: int) -> None:
    """Enqueue so many, each in a transaction of its own."""
    from benchmarks.project.jobs import no_op

    for number in range(jobs):
        no_op.enqueue(number)


def in_bulk(jobs: int) -> None:
    """Enqueue so many by one call."""
    from benchmarks.project.jobs import no_op

    no_op.enqueue_many([(number,) for number in range(jobs)])


def _figures(name: str, jobs: int, enqueue: Callable[[int], None]) -> list[Figure]:
    took, busy = timed(lambda: enqueue(jobs))
    return [
        Figure(name, jobs / took, "/s"),
        Figure(f"{name}, processor time", busy / jobs * 1e6, "µs a job"),
    ]


def in_a_request() -> tuple[float, float]:
    """Return how long a transaction with one row of the project's takes, and one with a job as well (ms)."""
    from benchmarks.project.jobs import no_op

    without, with_job = [], []
    for number in range(REQUESTS):  # in turn, so that both meet the same minute
        without.append(_request(f"without {number}", lambda: None))
        with_job.append(_request(f"with {number}", lambda number=number: no_op.enqueue(number)))
    return statistics.median(without), statistics.median(with_job)


def _request(name: str, also: Callable[[], object]) -> float:
    from django.contrib.auth.models import Group
    from django.db import transaction

    began = time.perf_counter()
    with transaction.atomic():
        Group.objects.create(name=name)
        also()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Measure all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES, default="sqlite")
    parser.add_argument("--jobs", type=int, default=5_000)
    parser.add_argument("--bulk", type=int, default=20_000)
    given = parser.parse_args()
    with fresh_project(given.database):
        print(machine())
        one_by_one(200)  # the connection, and the functions' first calls
        single = _figures("enqueue one by one", given.jobs, one_by_one)
        bulk = _figures(f"enqueue {given.bulk:,} at once", given.bulk, in_bulk)
        without, with_job = in_a_request()
    tell(
        *single,
        *bulk,
        Figure("a request's transaction without a job", without, "ms"),
        Figure("a request's transaction with a job", with_job, "ms"),
    )


if __name__ == "__main__":
    main()
