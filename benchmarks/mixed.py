"""How long short jobs wait among long ones: `python -m benchmarks.mixed [sqlite|postgresql|mariadb]`.

A fifth of the jobs take 50 ms, spread evenly; the others do nothing. All wait before the worker starts. A
short job's turn comes when the long ones before it are over, which the slots share: the figure is how much
later than that it began.
"""

from __future__ import annotations

import argparse
import statistics

from benchmarks.bench import DATABASES, fresh_project, machine, start_worker
from benchmarks.figures import Figure, percentile, tell

LONG_EVERY, LONG_MS, SLOTS = 5, 50, 2


def measure(jobs: int) -> tuple[list[float], float]:
    """Return by how much each short job began after its turn, sorted (ms), and how long all took (s)."""
    from benchmarks.project.jobs import no_op, take
    from django_jobs.models import Attempt

    order = [
        no_op.enqueue(number) if number % LONG_EVERY else take.enqueue(LONG_MS) for number in range(jobs)
    ]
    if start_worker("--burst", "--processes", str(SLOTS)).wait() != 0:
        raise SystemExit("the worker failed")
    begun = dict(Attempt.objects.values_list("job_id", "started_at"))
    first = min(begun.values())
    late = []
    for number, job in enumerate(order):
        if number % LONG_EVERY:
            turn = (number // LONG_EVERY + 1) * LONG_MS / SLOTS
            late.append((begun[job.id] - first).total_seconds() * 1000 - turn)
    span = (max(begun.values()) - first).total_seconds()
    return sorted(late), span


def main() -> None:
    """Measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES, default="sqlite")
    parser.add_argument("--jobs", type=int, default=500)
    given = parser.parse_args()
    with fresh_project(given.database):
        print(machine())
        late, span = measure(given.jobs)
    least = given.jobs / LONG_EVERY * LONG_MS / SLOTS / 1000
    tell(
        Figure("short jobs among long ones begin after their turn, p50", statistics.median(late), "ms"),
        Figure("short jobs among long ones begin after their turn, p99", percentile(late, 0.99), "ms"),
        Figure("all of them, to the least time possible", span / least, "×"),
    )


if __name__ == "__main__":
    main()
