"""What a claim of 10 jobs costs beside millions of others: `python -m benchmarks.claim [database]`.

A worker serves five queues with 10,000 ready jobs. Beside them lie 1,000,000 finished and 1,000,000 scheduled
jobs of the same queues, 1,000,000 ready ones of a queue it does not serve and as many of one that is paused.
A claim's time is that of the verb within its transaction: the commit is the same, however full the table is.
"Stale" are the statistics of the nearly empty table, as they are until the database looks again.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

from benchmarks.bench import DATABASES, each_found, fresh_project, machine

CLAIMS, WARM_UP, TAKEN = 100, 10, 10
MOST_ROWS, MOST_TIME = 100, 2.0


def measure(database: str) -> bool:
    """Print the figures of one database; return whether they are within the bounds."""
    with fresh_project(database):
        from benchmarks import ballast

        print(machine(), flush=True)
        ballast.load_served()
        ballast.analyze()
        empty = figures("empty")
        began = time.monotonic()
        ballast.load_the_rest()
        print(f"loaded in {time.monotonic() - began:.0f} s", flush=True)
        stale = figures("full, stale", empty)
        ballast.analyze()
        return figures("full, fresh", empty) <= MOST_TIME * empty >= stale


def figures(name: str, empty: float | None = None) -> float:
    """Print what claims cost now; return their median time (ms), infinite where one read too much."""
    from benchmarks.reading import read_by

    os.sync()  # what was loaded before is not to be written meanwhile
    median = statistics.median([claim() for _ in range(WARM_UP + CLAIMS)][WARM_UP:])
    read = read_by(claim)
    ratio = f" ({median / empty:.2f} × empty)" if empty else ""
    print(f"{name:12} p50 {median:6.2f} ms{ratio}, {read}", flush=True)
    return median if read.rows <= MOST_ROWS else float("inf")


def claim() -> float:
    """Claim as a worker does, from the queues it serves; return how long the claim took (ms)."""
    from datetime import timedelta

    from benchmarks.ballast import ELSEWHERE
    from django_jobs.engines import engine_for
    from django_jobs.worker.queue_list import QueueList

    engine = engine_for("default")
    ready = set(engine.ready_queues()) - set(engine.paused())
    queues = QueueList(exclude=[ELSEWHERE]).among(sorted(ready))
    lease = engine.read_clock() + timedelta(minutes=1)
    with engine.transaction():
        began = time.perf_counter()
        jobs = engine.claim(queues, TAKEN, worker_id="bench", token=1, lease=lease)
        took = time.perf_counter() - began
    if len(jobs) != TAKEN:
        raise SystemExit(f"{len(jobs)} jobs were claimed, not {TAKEN}")
    return took * 1000


def main() -> None:
    """Measure one database, or all; exit with 1 where a claim is out of bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES)
    given = parser.parse_args()
    if not (measure(given.database) if given.database else each_found("benchmarks.claim", DATABASES)):
        raise SystemExit(f"a claim read more than {MOST_ROWS} rows or took over {MOST_TIME:g} × the time")


if __name__ == "__main__":
    main()
