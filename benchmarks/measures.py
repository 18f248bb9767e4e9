"""What `make bench` measures, section by section, and which figures are told as a share of another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.bench import DATABASES


class Measure(NamedTuple):
    """One script with its arguments.

    Attributes:
        script: a module of this package.
        arguments: besides the database.
        only_on: the databases it is about.
        setting: an environment variable, and what is said of it beside the figures' names.
    """

    script: str
    arguments: tuple[str, ...] = ()
    only_on: tuple[str, ...] = DATABASES
    setting: tuple[str, str, str] | None = None

    def __str__(self) -> str:
        return " ".join([self.script, *self.arguments, *([self.setting[2]] if self.setting else [])])


class Share(NamedTuple):
    """A figure in per cent of another one of the same round."""

    name: str
    part: str
    whole: str


ONCE = ("--runs", "1")
MANY = ("--jobs", "100000")
# That what the second worker's start takes from the first one is a small part of it.
LONGER = ("--jobs", "40000")
FULL = ("BENCH_SYNCHRONOUS", "FULL", "synchronous=FULL")
ON_SQLITE = ("sqlite",)

# A limit stands right before what is compared with it: both are to meet the same minute.
SECTIONS = {
    "Enqueueing": [Measure("enqueue")],
    "Draining by one worker": [
        Measure("limit"),
        Measure("drain", ONCE),
        Measure("drain", (*ONCE, "--threads", "8")),
        Measure("drain", (*ONCE, "--threads", "50", "--coroutines")),
        Measure("limit", MANY),
        Measure("drain", (*ONCE, *MANY)),
    ],
    "Draining by several workers": [
        Measure("drain", (*ONCE, *LONGER, "--processes", "1")),
        Measure("drain", (*ONCE, *LONGER, "--workers", "2", "--processes", "1")),
        Measure("drain", (*ONCE, *LONGER, "--workers", "4", "--processes", "1")),
    ],
    "Draining beside others": [Measure("drain", ("--runs", "5", "--jobs", "20000", "--beside"))],
    "Waiting": [Measure("latency"), Measure("result"), Measure("mixed")],
    "Doing nothing": [Measure("idle", ("--seconds", "120")), Measure("memory")],
    "Each commit on the disk": [
        Measure("limit", setting=FULL, only_on=ON_SQLITE),
        Measure("drain", ONCE, setting=FULL, only_on=ON_SQLITE),
        Measure("enqueue", setting=FULL, only_on=ON_SQLITE),
    ],
}

LIMIT, LIMIT_OF_MANY = "the limit, 10,000 jobs", "the limit, 100,000 jobs"
DRAIN, DRAIN_OF_MANY = "drain 10,000 jobs, 2 runners", "drain 100,000 jobs, 2 runners"
THREADS = "drain 10,000 jobs, 2 runners of 8 threads"
COROUTINES = "drain 10,000 coroutines, 2 runners of 50 threads"
ONE_WORKER, TWO_WORKERS, FOUR_WORKERS = (
    "drain 40,000 jobs, 1 runner",
    "drain 40,000 jobs, 2 workers of 1 runner",
    "drain 40,000 jobs, 4 workers of 1 runner",
)
BUSY = ", processor time"
AT_FULL = f", {FULL[2]}"
ONE_BY_ONE, AT_ONCE = "enqueue one by one", "enqueue 20,000 at once"
REQUEST, REQUEST_WITH_JOB = (
    "a request's transaction without a job",
    "a request's transaction with a job",
)
START_P50, START_P99 = (f"from enqueue to the job's first line, {each}" for each in ("p50", "p99"))
RESULT_P50, RESULT_P99 = (
    f"from the end of a run to the return of result(), {each}" for each in ("p50", "p99")
)


def of_the_limit(name: str) -> str:
    """Return the name of a figure's share of the limit."""
    return f"{name}: of the limit"


def of_one_worker(name: str) -> str:
    """Return the name of a figure's share of what one worker does."""
    return f"{name}: of one worker's"


def of_normal(name: str) -> str:
    """Return the name of a figure's share of itself where a commit does not wait for the disk."""
    return f"{name}: of synchronous=NORMAL"


def shares() -> Iterator[Share]:
    """Yield each share that is told."""
    for name in (DRAIN, THREADS, COROUTINES):
        yield Share(of_the_limit(name), name, LIMIT)
    yield Share(of_the_limit(DRAIN + BUSY), DRAIN + BUSY, LIMIT + BUSY)
    yield Share(of_the_limit(DRAIN_OF_MANY), DRAIN_OF_MANY, LIMIT_OF_MANY)
    yield Share(of_the_limit(DRAIN + AT_FULL), DRAIN + AT_FULL, LIMIT + AT_FULL)
    for name in (TWO_WORKERS, FOUR_WORKERS):
        yield Share(of_one_worker(name), name, ONE_WORKER)
    for name in (LIMIT, DRAIN, ONE_BY_ONE, AT_ONCE):
        yield Share(of_normal(name + AT_FULL), name + AT_FULL, name)
    yield Share(f"{REQUEST_WITH_JOB}: of one without", REQUEST_WITH_JOB, REQUEST)
