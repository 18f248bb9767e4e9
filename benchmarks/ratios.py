"""Ratios of two short measures that met the same minute: what `benchmarks.check` judges.

Absolute times say more about the machine than about a change. Where it can be, processor time is compared
with processor time: a busy neighbour lengthens it least.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from benchmarks.figures import timed

ROUNDS, JOBS = 3, 3_000
ENQUEUED = 300
CLAIMS, BESIDE = 40, 100_000
WAITS, IDLE_SECONDS = 10, 4.0


class Ratio(NamedTuple):
    """One number without a unit."""

    name: str
    value: float


def all_of(database: str) -> Iterator[Ratio]:
    """Yield each ratio, as soon as it is known."""
    yield from of_enqueueing()
    yield from of_draining()
    yield from of_an_idle_worker()
    yield from of_claiming()  # last: what it leaves behind would keep a worker busy


def of_enqueueing() -> Iterator[Ratio]:
    """Hold an enqueue against the plainest row that the ORM can store, and one of many against one alone."""
    from django.contrib.auth.models import Group

    from benchmarks.enqueue import in_bulk, one_by_one

    plain, alone, of_many = [], [], []
    for number in range(ROUNDS):
        names = (f"{number} {each}" for each in range(ENQUEUED))
        plain.append(_busy(lambda names=names: [Group.objects.create(name=name) for name in names]))
        alone.append(_busy(lambda: one_by_one(ENQUEUED)))
        of_many.append(_busy(lambda: in_bulk(ENQUEUED * 10)) / 10)
    yield Ratio("enqueue: processor time of an ORM create()", _median(alone, plain))
    yield Ratio("one of many at once: processor time of one alone", _median(of_many, alone))


def of_draining() -> Iterator[Ratio]:
    """Hold a worker against the limit of its tables."""
    from benchmarks import limit
    from benchmarks.drain import clear, drain
    from benchmarks.project.jobs import no_op

    rates, costs, limits, least = [], [], [], []
    start = _cost_of_a_start()
    for _ in range(ROUNDS):
        clear()
        no_op.enqueue_many([(number,) for number in range(JOBS)])
        took, busy = timed(lambda: limit.drain(JOBS))
        limits.append(JOBS / took)
        least.append(busy / JOBS)
        rate, cost = drain(JOBS, 2, 1, workers=1, coroutines=False)
        rates.append(rate)
        costs.append(cost / 1e6 - start / JOBS)
    yield Ratio("drain: rate of the limit", _median(rates, limits))
    yield Ratio("drain: processor time of the limit", _median(costs, least))


def _cost_of_a_start() -> float:
    """Return what a worker costs that finds nothing to do (seconds of processor time)."""
    from benchmarks.bench import start_worker
    from benchmarks.drain import clear, used

    clear()
    before = used()
    start_worker("--burst").wait()
    return used() - before


def of_an_idle_worker() -> Iterator[Ratio]:
    """Hold its memory against a process that does nothing, its time and a wake-up against the clock."""
    from benchmarks.bench import family, serving
    from benchmarks.drain import clear
    from benchmarks.idle import used
    from benchmarks.latency import wait_for_one
    from benchmarks.memory import pss

    clear()
    with serving() as worker:
        waits = [wait_for_one() for _ in range(WAITS + 1)][1:]
        yield Ratio("from enqueue to start: of a second", statistics.median(waits) / 1000)
        memory = sum(pss(pid) for pid in family(worker.pid))
        yield Ratio("memory of a worker: of one process with Django", memory / _memory_of_django())
        before = used(worker.pid)
        time.sleep(IDLE_SECONDS)
        yield Ratio(
            "processor time of an idle worker: of the clock's", (used(worker.pid) - before) / IDLE_SECONDS
        )


def _memory_of_django() -> float:
    program = (
        "import os, django; django.setup(); from django.db import connection; connection.ensure_connection();"
        "from benchmarks.memory import pss; print(pss(os.getpid()))"
    )
    told = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    return float(told.stdout)


def of_claiming() -> Iterator[Ratio]:
    """Hold a claim beside many jobs that it must not see against one without them."""
    from benchmarks import ballast
    from benchmarks.claim import TAKEN, claim
    from benchmarks.drain import clear
    from benchmarks.reading import read_by

    clear()
    ballast.load_served()
    ballast.analyze()
    # The best of many, because whatever else the machine does only makes a claim longer.
    empty = min(claim() for _ in range(CLAIMS))
    ballast.load_finished_and_scheduled(ballast.SERVED, rows=BESIDE)
    # The statistics are still those of the nearly empty table: the worst case.
    full = min(claim() for _ in range(CLAIMS))
    yield Ratio("claim beside 200,000 others: time of one without them", full / empty)
    yield Ratio("claim beside 200,000 others: rows read for each job", read_by(claim).rows / TAKEN)


def _busy(work: Callable[[], object]) -> float:
    return timed(work)[1]


def _median(parts: list[float], wholes: list[float]) -> float:
    return statistics.median(part / whole for part, whole in zip(parts, wholes, strict=True))
