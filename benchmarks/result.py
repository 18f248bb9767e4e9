"""How long `result()` takes to return what a job has given: `python -m benchmarks.result [database]`.

From the end of the run, as its attempt records it, to the return of a caller who waits meanwhile: the report,
the ack, and the caller's next look. Jobs of several lengths, because whoever waits longer looks more seldom.
"""

from __future__ import annotations

import argparse
import random
import statistics
from datetime import timedelta

from benchmarks.bench import DATABASES, fresh_project, machine, serving
from benchmarks.figures import Figure, percentile, tell

LENGTHS_MS = (1, 20, 100, 300)


def measure(jobs: int) -> list[float]:
    """Return the times of so many jobs, sorted (ms)."""
    from django.utils import timezone

    from benchmarks.project.jobs import no_op, take

    chance = random.Random(1)
    with serving():
        no_op.enqueue().result(timeout=60)
        times = []
        for _ in range(jobs):
            job = take.enqueue(chance.choice(LENGTHS_MS))
            job.result(timeout=60)
            returned = timezone.now()
            times.append((returned - job.attempt_set.get().finished_at) / timedelta(milliseconds=1))
        return sorted(times)


def main() -> None:
    """Measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES, default="sqlite")
    parser.add_argument("--jobs", type=int, default=60)
    given = parser.parse_args()
    with fresh_project(given.database):
        print(machine())
        times = measure(given.jobs)
    tell(
        Figure("from the end of a run to the return of result(), p50", statistics.median(times), "ms"),
        Figure("from the end of a run to the return of result(), p99", percentile(times, 0.99), "ms"),
    )


if __name__ == "__main__":
    main()
