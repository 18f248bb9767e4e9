"""How long `Job.objects.stats()` takes: `python -m benchmarks.stats [sqlite|postgresql|mariadb]`.

Once right after the rows were written, when the database has had no time to tidy up, and once after it
was told to.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.bench import DATABASES, fresh_project, machine

# How the jobs of a busy table are spread: most are finished, some wait, few run.
SPREAD = {
    "completed": 700,
    "ready": 150,
    "scheduled": 100,
    "dead": 25,
    "cancelled": 20,
    "waiting": 4,
    "running": 1,
}
QUEUES = 20
PART = 10_000
RUNS = 7
TIDY = {
    "sqlite": "ANALYZE",
    "postgresql": "VACUUM ANALYZE django_jobs_job",
    "mysql": "ANALYZE TABLE django_jobs_job",
}


def fill(rows: int) -> None:
    """Store so many jobs."""
    from django_jobs.engines import engine_for

    engine, chance = engine_for("default"), random.Random(1)
    for start in range(0, rows, PART):
        engine.enqueue(list(new_jobs(min(PART, rows - start), chance)))


def new_jobs(count: int, chance: random.Random) -> Iterator[Any]:
    """Yield jobs as they are found in a busy table."""
    from django_jobs.engines.rows import NewJob
    from django_jobs.states import Status
    from django_jobs.uuid7 import uuid7

    now = datetime.now(UTC)
    for status in chance.choices([Status(name) for name in SPREAD], list(SPREAD.values()), k=count):
        yield NewJob(
            id=uuid7(),
            function="benchmarks.project.jobs.no_op",
            queue=f"queue {chance.randrange(QUEUES)}",
            status=status,
            priority=0,
            run_after=now + timedelta(seconds=chance.uniform(-86400, 86400)),
            args='{"args": [1], "kwargs": {}}',
            options=None,
            max_attempts=3,
            timeout=300.0,
        )


def measure(rows: int) -> list[float]:
    """Return how long each of some runs took (milliseconds)."""
    from django_jobs.models import Job

    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        counts = Job.objects.stats()
        times.append((time.perf_counter() - began) * 1000)
        if sum(counts["total"].values()) != rows:
            raise SystemExit(f"{counts['total']} are not {rows} jobs")
    return times


def tidy() -> None:
    """Have the database do what it otherwise does by itself some time later."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(TIDY[connection.vendor])
        if cursor.description:
            cursor.fetchall()


def main() -> None:
    """Fill the table; measure; print the first run, the median and the worst."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES, default="sqlite")
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    with fresh_project(given.database):
        print(machine())
        fill(given.rows)
        for when, prepare in {"just written": lambda: None, "tidied up": tidy}.items():
            prepare()
            times = measure(given.rows)
            print(
                f"{given.rows:,} jobs, {when}: first {times[0]:.0f} ms, "
                f"median {statistics.median(times):.0f} ms, worst {max(times):.0f} ms"
            )


if __name__ == "__main__":
    main()
