"""How fast jobs that hang are gone: `python -m benchmarks.stopping [sqlite|postgresql|mariadb]`.

Each kind of hang runs under a timeout of one second, one after the other on a worker with one runner,
and a job that does nothing waits behind each. One kind has neighbours in seven other threads of that runner,
which have to complete at their first attempt nevertheless. Measured from the limit until the last process
of the run's session is gone, and from then until that next job begins on a fresh runner.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.bench import DATABASES, family, fresh_project, machine, serving

AMONG_THREADS, THREADS = "among_threads", 8
KINDS = ("sleep", "spin", "hold_the_gil", "stubborn_child", "await_long", AMONG_THREADS)
TIMEOUT = 1.0
LOOK_EVERY = 0.005
PATIENCE = 60.0


class Stopped(NamedTuple):
    """One run: seconds until it was gone and until the next began, and what was left of its session then."""

    gone: float
    next_one: float
    left: int


def stop_one(kind: str, note: Path) -> Stopped:
    """Let a job of this kind hang, and one that does nothing wait behind it."""
    from benchmarks.project import jobs

    over = note.with_name("over")
    for file in (note, over):
        file.unlink(missing_ok=True)
    count = THREADS - 1 if kind == AMONG_THREADS else 0
    neighbours = jobs.neighbour.enqueue_many([(str(over),)] * count)
    hung = getattr(jobs, kind).using(timeout=TIMEOUT, priority=1).enqueue(str(note))
    _until(note.exists)
    following = jobs.begin.enqueue()
    session, began = map(int, note.read_text().split())
    limit = began / 1e9 + TIMEOUT
    gone = _until(lambda: not _session(session))
    began_ns = following.result(timeout=PATIENCE)
    left = len(_session(session))
    over.touch()
    for one, status in ((hung, "dead"), *((each, "completed") for each in neighbours)):
        _until(lambda one=one: one.refresh_from_db() or one.is_final)
        assert (one.status, one.attempts) == (status, 1), (one.status, one.attempts)
    return Stopped(gone - limit, began_ns / 1e9 - gone, left)


def _until(fact: Callable[[], Any]) -> float:
    """Wait for a fact; return when it held (CLOCK_BOOTTIME, seconds)."""
    from django_jobs.wire.clock import boottime

    give_up = boottime() + PATIENCE
    while not fact():
        if boottime() > give_up:
            raise SystemExit("a job that should be gone is not, or one that should run does not")
        time.sleep(LOOK_EVERY)
    return boottime()


def _stats() -> list[list[str]]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # Behind the last parenthesis: state, ppid, pgrp, session.
                found.append((entry / "stat").read_text().rpartition(")")[2].split()[:4])
            except OSError:
                continue
    return found


def _session(leader: int) -> list[list[str]]:
    return [stat for stat in _stats() if int(stat[3]) == leader and stat[0] not in "ZX"]


def zombies(worker: int) -> int:
    """Return how many dead children of the worker's processes nobody has buried."""
    parents = set(family(worker))
    return sum(stat[0] == "Z" and int(stat[1]) in parents for stat in _stats())


def measure(kinds: list[str], runs: int) -> None:
    """Measure each kind so many times; print a line for each, and what was left of all."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            threads = THREADS if kind == AMONG_THREADS else 1
            with serving("--processes", "1", "--threads", str(threads)) as worker:
                _tell(kind, [stop_one(kind, Path(folder) / "note") for _ in range(runs)], zombies(worker.pid))


def _tell(kind: str, found: list[Stopped], dead: int) -> None:
    gone, next_one = [each.gone for each in found], [each.next_one for each in found]
    print(
        f"{kind:<15} {len(found):>4} runs: gone {statistics.median(gone):5.2f} s after the limit, "
        f"worst {max(gone):5.2f} s; next job {statistics.median(next_one):5.3f} s later, "
        f"worst {max(next_one):5.3f} s; processes left: {sum(each.left for each in found)}, "
        f"zombies: {dead}",
        flush=True,
    )


def main() -> None:
    """Measure; print medians and the worst."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES, default="sqlite")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--kind", action="append", choices=KINDS)
    given = parser.parse_args()
    with fresh_project(given.database):
        print(machine())
        measure(given.kind or list(KINDS), given.runs)


if __name__ == "__main__":
    main()
