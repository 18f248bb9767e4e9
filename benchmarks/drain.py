"""How many no-op jobs a second one worker drains: `python -m benchmarks.drain [sqlite|postgresql|mariadb]`.

The rate counts from the start of the first run to the end of the last, as the attempts record
them. Every job is stored as completed with its attempt. Beside millions of other jobs with --beside.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
from collections.abc import Sequence
from uuid import UUID

from benchmarks.bench import DATABASES, copied_project, fresh_project, machine, start_worker, use_database
from benchmarks.figures import Figure, tell

# Jobs a second, and processor time for each of them (microseconds).
Run = tuple[float, float]
# Below it are the ids of the jobs beside; those of enqueued ones begin with the time.
LEAST_ID = UUID(int=2**96)


def drain(jobs: int, processes: int, threads: int, *, workers: int, coroutines: bool) -> Run:
    """Return jobs a second of one drain, and the workers' processor time for each job (microseconds)."""
    from django.db.models import Max, Min

    from benchmarks.project.jobs import no_op, no_op_later
    from django_jobs.models import Attempt, Job

    clear()
    (no_op_later if coroutines else no_op).enqueue_many([(number,) for number in range(jobs)])
    before = used()
    size = ["--processes", str(processes), "--threads", str(threads)]
    started = [start_worker("--burst", *size) for _ in range(workers)]
    if max(abs(worker.wait()) for worker in started):
        raise SystemExit("a worker failed")
    completed = Attempt.objects.filter(outcome="completed").count()
    if completed != jobs or Job.objects.filter(pk__gte=LEAST_ID).completed().count() != jobs:
        raise SystemExit(f"{completed} attempts for {jobs} jobs: something was lost or done twice")
    span = Attempt.objects.aggregate(first=Min("started_at"), last=Max("finished_at"))
    return jobs / (span["last"] - span["first"]).total_seconds(), (used() - before) / jobs * 1e6


def clear() -> None:
    """Remove the jobs of earlier drains, and all attempts."""
    from django_jobs.models import Attempt, Job

    Attempt.objects.all().delete()
    Job.objects.filter(pk__gte=LEAST_ID).delete()


def used() -> float:
    """Return the processor time of all workers so far, their start-up among it (seconds)."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def main() -> None:
    """Drain several times; print each figure and the median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES, default="sqlite")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--coroutines", action="store_true", help="the jobs are coroutines")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--beside", action="store_true", help="1,000,000 finished and as many scheduled jobs")
    parser.add_argument("--listen", action="store_true", help="with a receiver of job_completed")
    given = parser.parse_args()
    if given.listen:
        os.environ["BENCH_LISTEN"] = "1"
    with fresh_project(given.database):
        print(machine())
        figures = _beside(given) if given.beside else _measure(given)
    tell(*figures)


def _beside(given: argparse.Namespace) -> list[Figure]:
    """Measure in turn in tables that are empty otherwise and among the others, and tell the shares."""
    from benchmarks import ballast

    ballast.tidy()
    with copied_project() as (full, empty):
        ballast.load_finished_and_scheduled(["default"])
        ballast.tidy()
        runs: dict[str, list[Run]] = {empty: [], full: []}
        for _ in range(given.runs):
            for database, found in runs.items():
                use_database(database)
                found.append(_once(given))
    alone = _figures(given, runs[empty], ", beside nothing")
    among = _figures(given, runs[full], ", beside 2,000,000 others")
    rate, cost = (full.value / empty.value * 100 for full, empty in zip(among, alone, strict=True))
    return [
        *alone,
        *among,
        Figure("beside 2,000,000 others, of the rate beside nothing", rate, "%"),
        Figure("beside 2,000,000 others, of the processor time beside nothing", cost, "%"),
    ]


def _measure(given: argparse.Namespace) -> list[Figure]:
    return _figures(given, [_once(given) for _ in range(given.runs)], "")


def _once(given: argparse.Namespace) -> Run:
    return drain(
        given.jobs, given.processes, given.threads, workers=given.workers, coroutines=given.coroutines
    )


def _figures(given: argparse.Namespace, runs: Sequence[Run], beside: str) -> list[Figure]:
    rates, costs = zip(*runs, strict=True)
    words = f"drain {_words(given)}{beside}"
    return [
        Figure(words, statistics.median(rates), "/s"),
        Figure(f"{words}, processor time", statistics.median(costs), "µs a job"),
    ]


def _words(given: argparse.Namespace) -> str:
    kind = "coroutines" if given.coroutines else "jobs"
    workers = f"{given.workers} workers of " if given.workers > 1 else ""
    threads = f" of {given.threads} threads" if given.threads > 1 else ""
    return f"{given.jobs:,} {kind}, {workers}{_count(given.processes, 'runner')}{threads}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


if __name__ == "__main__":
    main()
