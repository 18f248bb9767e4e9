"""What a worker counts: the runs it has settled, minute by minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django_jobs.engines.base import Engine
from django_jobs.engines.rows import Ack, ClaimedJob, Count, Run
from django_jobs.engines.transient import is_transient
from django_jobs.exceptions import JobsError
from django_jobs.histograms import Histogram
from django_jobs.serializers.limits import clean
from django_jobs.states import AttemptOutcome
from django_jobs.wire.clock import boottime

Key = tuple[str, str, str]  # function, queue, outcome

# A minute is closed, and may be folded, so long after its start; nobody writes to it from some time before.
CLOSED_AFTER = timedelta(minutes=5)
_LAST_WRITE = timedelta(minutes=3)
# Counters that cannot be written are left alone for so long (seconds).
_REST = 60.0


class StoodStill(JobsError):
    """Between two statements of one transaction minutes went by."""

    def __init__(self) -> None:
        super().__init__("the worker stood still in the middle of a transaction, which is begun again")


class Totals:
    """The runs of one key."""

    __slots__ = ("queue", "run", "runs")

    def __init__(self, runs: int, queue: Histogram, run: Histogram) -> None:
        self.runs, self.queue, self.run = runs, queue, run

    def copy(self) -> Totals:
        """Return others that count on from here."""
        return Totals(self.runs, self.queue.copy(), self.run.copy())

    def add(self, runs: Sequence[Run]) -> None:
        """Count some runs, and their times where they are known."""
        self.runs += len(runs)
        self.queue.add([run.waited for run in runs if run.waited is not None])
        self.run.add([run.ran for run in runs if run.ran is not None])

    def merge(self, count: Count) -> None:
        """Count all runs of a row."""
        self.runs += count.runs
        self.queue.merge(Histogram.from_json(count.queue_histogram, count.queue_seconds))
        self.run.merge(Histogram.from_json(count.run_histogram, count.run_seconds))

    def row(self, minute: datetime, worker_id: str, key: Key) -> Count:
        """Return the row that says this."""
        function, queue, outcome = key
        return Count(
            minute,
            worker_id,
            function,
            queue,
            outcome,
            self.runs,
            self.queue.seconds,
            self.run.seconds,
            self.queue.to_json(),
            self.run.to_json(),
        )


def nothing() -> Totals:
    """Return the totals of no run."""
    return Totals(0, Histogram(), Histogram())


def run_of(job: ClaimedJob, ack: Ack, outcome: AttemptOutcome) -> Run:
    """Return what is counted of a run this worker has made; the outcome is what was written of it."""
    waited = ran = None
    if ack.started_at is not None:
        waited = (ack.started_at - job.run_after).total_seconds()
        ran = (ack.outcome.finished_ns - ack.outcome.started_ns) / 1e9
    return Run(job.function, job.queue, outcome, waited, ran)


class Tally:
    """One worker's counters of the current minute: a copy of its own rows, which nobody else writes.

    So it writes totals and never adds: what is written again is counted once. For one thread.

    Attributes:
        settled: how many runs it has settled so far.
    """

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id
        self.settled = 0
        self._minute: datetime | None = None  # of which minute the totals are; None: they are to be read
        self._totals: dict[Key, Totals] = {}
        self._rests_until = 0.0

    @contextmanager
    def counting(self, engine: Engine, *, now: Callable[[], datetime]) -> Iterator[list[Run]]:
        """Open a transaction; the runs that are put into the list are counted in it.

        Args:
            now: tells the database's time.

        Raises:
            StoodStill: the transaction took so long that its minute may be closed.
        """
        runs: list[Run] = []
        try:
            with engine.transaction():
                yield runs
                counted = self._count(engine, runs, now)
        except BaseException:
            self._minute = None  # a commit without an answer may have been made or not
            raise
        self._minute, self._totals = counted
        self.settled += len(runs)

    def _count(
        self, engine: Engine, runs: Sequence[Run], now: Callable[[], datetime]
    ) -> tuple[datetime | None, dict[Key, Totals]]:
        if not runs or boottime() < self._rests_until:
            return self._minute, self._totals
        minute = now().replace(second=0, microsecond=0)
        try:
            totals = self._write(engine, runs, minute)
        except Exception as error:
            if not is_transient(error):
                # No statistics are worth an outcome that is never stored: the next try goes without.
                self._rests_until = boottime() + _REST
            raise
        # Its rows are locked from here to the commit. Had they been folded before, all would count twice.
        if now() >= minute + _LAST_WRITE:
            raise StoodStill
        return minute, totals

    def _write(self, engine: Engine, runs: Sequence[Run], minute: datetime) -> dict[Key, Totals]:
        known = self._totals if minute == self._minute else self._read(engine, minute)
        touched = _added(known, runs)
        engine.count([touched[key].row(minute, self._worker_id, key) for key in sorted(touched)])
        return known | touched

    def _read(self, engine: Engine, minute: datetime) -> dict[Key, Totals]:
        totals: dict[Key, Totals] = {}
        for count in engine.counts(minute=minute, worker_id=self._worker_id):
            totals[count.key] = nothing()
            totals[count.key].merge(count)
        return totals


def _added(known: Mapping[Key, Totals], runs: Sequence[Run]) -> dict[Key, Totals]:
    """Return what the totals of these runs' keys come to; what is known stays as it is."""
    touched: dict[Key, Totals] = {}
    for (function, queue, outcome), alike in _grouped(runs).items():
        key = (_name(function), _name(queue), str(outcome))
        if key not in touched:
            touched[key] = known[key].copy() if key in known else nothing()
        touched[key].add(alike)
    return touched


def _grouped(runs: Sequence[Run]) -> dict[Any, list[Run]]:
    groups: dict[Any, list[Run]] = {}
    for run in runs:
        groups.setdefault(run[:3], []).append(run)
    return groups


def _name(stored: object) -> str:
    # SQLite stores anything in any column, and gives back text that it would not take again.
    return clean(str(stored))
