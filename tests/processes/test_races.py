"""Several workers on one database, and a stranger who holds its lock: each job is started once."""

from __future__ import annotations

import sqlite3
import threading
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction

from django_jobs.models import Attempt, Job
from django_jobs.wire.clock import boottime
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, WorkerProcess
from tests.tiers import by_tier

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(by_tier(120, 120, 3600)),
]

MORE = "more"
# So many jobs at least are enqueued beside a stranger who holds SQLite's lock.
LOCKED_OUT = by_tier(0, 0, 20_000)
# They must be at work so long after that lock (seconds); asserted in the highest tier.
RESUMES = by_tier(60.0, 60.0, 2.0)


def _started(
    start_worker: Start, count: int, *options: str, claim_size: int | None = None
) -> list[WorkerProcess]:
    """Start workers and wait until all serve."""
    workers = [start_worker(*options, claim_size=claim_size) for _ in range(count)]
    for worker in workers:
        worker.until(lambda worker=worker: " serves " in worker.log)
    return workers


def _enqueue(ledger: Ledger, count: int) -> None:
    jobs.note.enqueue_many([(str(ledger), str(number)) for number in range(count)])


def _finish(workers: list[WorkerProcess], count: int) -> None:
    workers[0].until(lambda: Job.objects.completed().count() == count, patience=by_tier(90, 90, 1800))
    assert [worker.stop() for worker in workers] == [0] * len(workers)


@pytest.mark.faults
@pytest.mark.parametrize(
    ("claim_size", "count"), [(10, by_tier(1000, 5000, 50_000)), (1, by_tier(300, 1000, 50_000))]
)
def test_four_workers_race_for_the_same_rows_and_start_each_once(
    start_worker: Start,
    ledger: Ledger,
    record_property: Callable[[str, object], None],
    claim_size: int,
    count: int,
) -> None:
    count = race(start_worker, ledger, claim_size=claim_size, count=count)
    record_property("size", f"{count:,} jobs, {claim_size} in a claim at most")


def race(start_worker: Start, ledger: Ledger, *, claim_size: int, count: int) -> int:
    """Let four workers start so many jobs, and more until all have had one; return how many that were."""
    workers = _started(start_worker, 4, "--processes", "1", claim_size=claim_size)
    _enqueue(ledger, count)
    workers[0].until(lambda: _all_have_run(ledger, workers))
    count = Job.objects.count()
    _finish(workers, count)
    runs = Counter(ledger.lines)
    assert runs.pop(MORE, 0) == count - len(runs)
    assert set(runs.values()) == {1}
    assert Attempt.objects.filter(outcome="completed").count() == Attempt.objects.count() == count
    return count


def _all_have_run(ledger: Ledger, workers: list[WorkerProcess]) -> bool:
    """Return whether every worker has taken part; if not, there is more for whoever has had nothing yet."""
    if Attempt.objects.values("worker_id").distinct().count() == len(workers):
        return True
    if not Job.objects.ready().exists():
        jobs.note.enqueue_many([(str(ledger), MORE) for _ in range(20)])
    return False


def test_two_workers_with_the_usual_settings_finish_each_job_once(
    start_worker: Start, ledger: Ledger
) -> None:
    workers = _started(start_worker, 2)
    _enqueue(ledger, 100)
    _finish(workers, 100)
    assert Counter(ledger.lines) == Counter(str(number) for number in range(100))


def test_what_waits_behind_a_long_job_is_run_by_an_idle_worker(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    (first,) = _started(start_worker, 1, "--processes", "1")
    _enqueue(ledger, 50)
    first.until(lambda: Job.objects.completed().count() == 50)
    with transaction.atomic():
        long = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go", "long")
        _enqueue(ledger, 30)
    first.until(lambda: Job.objects.ready().count() == 30 and len(ledger.lines) == 51)
    (second,) = _started(start_worker, 1, "--processes", "1")
    second.until(lambda: Job.objects.completed().count() == 80)
    (tmp_path / "go").touch()
    first.until_final(long)
    assert Attempt.objects.values("worker_id").distinct().count() == 2
    assert (len(ledger.lines), Attempt.objects.count()) == (82, 81)


def test_jobs_that_were_given_back_do_not_count_for_max_jobs(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    with transaction.atomic():
        _enqueue(ledger, 50)
        jobs.hold.enqueue(str(ledger), f"{tmp_path}/go", "long")
        _enqueue(ledger, 30)
    worker = start_worker("--processes", "1", "--max-jobs", "60")
    worker.until(lambda: Job.objects.ready().count() == 30 and len(ledger.lines) == 51)
    (tmp_path / "go").touch()
    assert worker.wait() == 0
    assert (Job.objects.completed().count(), Job.objects.ready().count()) == (60, 21)


class Stranger(threading.Thread):
    """Holds SQLite's one write lock again and again, each time for so many seconds, with pauses of three."""

    PAUSE = 3.0

    def __init__(self, holds: Sequence[float]) -> None:
        super().__init__()
        self.let_go: list[float] = []  # when it did (CLOCK_BOOTTIME, seconds)
        self._holds, self._enough = holds, threading.Event()

    def run(self) -> None:
        """Hold the lock."""
        path = connection.settings_dict["NAME"]
        for number, hold in enumerate(self._holds):
            self._enough.wait(self.PAUSE if number else 0)
            with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as raw:
                raw.execute("BEGIN IMMEDIATE")
                self._enough.wait(hold)
                self.let_go.append(boottime())
                raw.execute("ROLLBACK")

    def leave(self) -> None:
        """Let go of it for good."""
        self._enough.set()
        self.join()


@contextmanager
def _stranger(holds: Sequence[float]) -> Iterator[Stranger]:
    stranger = Stranger(holds)
    stranger.start()
    try:
        yield stranger
    finally:
        stranger.leave()


@pytest.mark.only_on("sqlite")
@pytest.mark.faults
@pytest.mark.parametrize("holds", by_tier([(2.0,)], [(3.0,), (8.0,)], [(2.0,) * 20 + (8.0,)]))
def test_a_write_lock_held_by_a_stranger_is_waited_for(
    start_worker: Start,
    ledger: Ledger,
    record_property: Callable[[str, object], None],
    holds: Sequence[float],
) -> None:
    workers = _started(start_worker, 2)
    count = 0
    with _stranger(holds) as stranger:
        while stranger.is_alive() or count < LOCKED_OUT:
            numbers = range(count, count + by_tier(1, 1, 5))
            jobs.note_moment.enqueue_many([(str(ledger), str(number)) for number in numbers])
            count += len(numbers)
            stranger.join(0.005)
    _finish(workers, count)
    runs = [line.split() for line in ledger.lines]
    assert Counter(word for word, _ in runs) == Counter(str(number) for number in range(count))
    assert not any("the database fails" in worker.log for worker in workers)
    moments = sorted(float(moment) for _, moment in runs)
    assert len(stranger.let_go) == len(holds)
    for moment in stranger.let_go:
        resumed = moments[bisect(moments, moment)] - moment
        record_property("figure", ("at work again after a lock (s)", resumed))
        assert resumed < RESUMES
    record_property("size", f"{count:,} jobs, held for {', '.join(f'{hold:g} s' for hold in holds)}")
