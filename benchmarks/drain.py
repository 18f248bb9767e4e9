"""How many no-op jobs a second one worker drains: `python -m benchmarks.drain`.

The rate counts from the start of the first run to the end of the last, as the attempts record
them; the worker's start-up is shown beside it. Every job is stored as completed with its attempt.
"""

from __future__ import annotations

import argparse
import statistics
import time

from benchmarks.bench import fresh_project, machine, start_worker


def drain(jobs: int, processes: int) -> tuple[float, float]:
    """Return jobs a second of one drain, and the worker's whole wall time in seconds."""
    from django.db.models import Max, Min

    from benchmarks.project.jobs import no_op
    from django_jobs.models import Attempt, Job

    for model in (Attempt, Job):
        model.objects.all().delete()
    no_op.enqueue_many([(number,) for number in range(jobs)])
    began = time.monotonic()
    if start_worker("--burst", "--processes", str(processes)).wait() != 0:
        raise SystemExit("the worker failed")
    wall = time.monotonic() - began
    completed = Attempt.objects.filter(outcome="completed").count()
    if completed != jobs or Job.objects.completed().count() != jobs:
        raise SystemExit(f"{completed} attempts for {jobs} jobs: something was lost or done twice")
    span = Attempt.objects.aggregate(first=Min("started_at"), last=Max("finished_at"))
    return jobs / (span["last"] - span["first"]).total_seconds(), wall


def main() -> None:
    """Drain several times; print each figure and the median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    rates = []
    with fresh_project():
        print(machine())
        for _ in range(given.runs):
            rate, wall = drain(given.jobs, given.processes)
            rates.append(rate)
            print(f"{given.jobs:,} jobs, {given.processes} runners: {rate:8,.0f} /s, wall {wall:.2f} s")
    print(f"median {statistics.median(rates):,.0f} /s")


if __name__ == "__main__":
    main()
