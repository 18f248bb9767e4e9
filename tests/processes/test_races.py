"""Several workers on one database, and a stranger who holds its lock: each job is started once."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction

from django_jobs.models import Attempt, Job
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, WorkerProcess

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


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
    workers[0].until(lambda: Job.objects.completed().count() == count, patience=90)
    assert [worker.stop() for worker in workers] == [0] * len(workers)


@pytest.mark.parametrize(("claim_size", "count"), [(10, 5000), (1, 1000)])
def test_four_workers_race_for_the_same_rows_and_start_each_once(
    start_worker: Start, ledger: Ledger, claim_size: int, count: int
) -> None:
    workers = _started(start_worker, 4, "--processes", "1", claim_size=claim_size)
    _enqueue(ledger, count)
    _finish(workers, count)
    assert Counter(ledger.lines) == Counter(str(number) for number in range(count))
    assert Attempt.objects.filter(outcome="completed").count() == Attempt.objects.count() == count
    assert Attempt.objects.values("worker_id").distinct().count() == 4


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
        self._holds, self._enough = holds, threading.Event()

    def run(self) -> None:
        """Hold the lock."""
        path = connection.settings_dict["NAME"]
        for number, hold in enumerate(self._holds):
            self._enough.wait(self.PAUSE if number else 0)
            raw = sqlite3.connect(path, timeout=20, isolation_level=None)
            raw.execute("BEGIN IMMEDIATE")
            self._enough.wait(hold)
            raw.execute("ROLLBACK")
            raw.close()

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
@pytest.mark.parametrize("holds", [(3.0,), (2.0, 2.0, 8.0)])
def test_a_write_lock_held_by_a_stranger_is_waited_for(
    start_worker: Start, ledger: Ledger, holds: Sequence[float]
) -> None:
    workers = _started(start_worker, 2)
    count = 0
    with _stranger(holds) as stranger:
        while stranger.is_alive():
            jobs.note.enqueue(str(ledger), str(count))
            count += 1
            stranger.join(0.005)
    _finish(workers, count)
    assert Counter(ledger.lines) == Counter(str(number) for number in range(count))
    assert not any("the database fails" in worker.log for worker in workers)
