"""How long a job waits for an idle worker: `python -m benchmarks.latency [sqlite|postgresql|mariadb]`.

From the return of `enqueue`, which has committed by then, to the first line of the job; one job at a time,
each after a pause of another length, so that none meets a worker that is still busy with the one before.
Whoever enqueues sleeps meanwhile: were it to ask for the result at once, it would keep the worker from its
processor and from the database for about as long as is measured.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time

from benchmarks.bench import DATABASES, fresh_project, machine, serving
from benchmarks.figures import Figure, percentile, tell

# Between two jobs (seconds): longer than any moment at which a woken worker looks again by itself.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.15, 0.25
WARM_UP = 5


def wait_for_one() -> float:
    """Enqueue one job; return how long it waited (milliseconds)."""
    from benchmarks.project.jobs import begin
    from django_jobs.wire.clock import boottime_ns

    job = begin.enqueue()
    enqueued = boottime_ns()
    time.sleep(random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE))
    began = job.result(timeout=60)
    return (began - enqueued) / 1e6


def measure(jobs: int) -> list[float]:
    """Return the waits of so many jobs, sorted (milliseconds)."""
    with serving():
        for _ in range(WARM_UP):
            wait_for_one()
        return sorted(wait_for_one() for _ in range(jobs))


def main() -> None:
    """Measure; print median, 99th percentile and the worst."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES, default="sqlite")
    parser.add_argument("--jobs", type=int, default=200)
    given = parser.parse_args()
    with fresh_project(given.database):
        print(machine())
        waits = measure(given.jobs)
    tell(
        Figure("from enqueue to the job's first line, p50", statistics.median(waits), "ms"),
        Figure("from enqueue to the job's first line, p99", percentile(waits, 0.99), "ms"),
        Figure("from enqueue to the job's first line, worst", waits[-1], "ms"),
    )


if __name__ == "__main__":
    main()
