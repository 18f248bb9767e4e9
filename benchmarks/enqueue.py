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
from benchmarks.figures import Figure, tell

REQUESTS = 500


def one_by_one(jobs: int) -> float:
    """Return how many a second are enqueued, each in a transaction of its own."""
    from benchmarks.project.jobs import no_op

    began = time.perf_counter()
    for number in range(jobs):
        no_op.enqueue(number)
    return jobs / (time.perf_counter() - began)


def in_bulk(jobs: int) -> float:
    """Return how many a second are enqueued by one call."""
    from benchmarks.project.jobs import no_op

    arguments = [(number,) for number in range(jobs)]
    began = time.perf_counter()
    no_op.enqueue_many(arguments)
    return jobs / (time.perf_counter() - began)


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
        single, bulk = one_by_one(given.jobs), in_bulk(given.bulk)
        without, with_job = in_a_request()
    tell(
        Figure("enqueue one by one", single, "/s"),
        Figure(f"enqueue {given.bulk:,} at once", bulk, "/s"),
        Figure("a request's transaction without a job", without, "ms"),
        Figure("a request's transaction with a job", with_job, "ms"),
    )


if __name__ == "__main__":
    main()
