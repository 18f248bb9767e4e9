"""Workers that are frozen, or whose jobs hold the GIL, for longer than a lease: no run counts twice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from django_jobs.models import Attempt, Job
from tests import databases
from tests import jobs_that_misbehave as jobs
from tests.conftest import TEST_DATABASE
from tests.processes.conftest import Ledger, Start, WorkerProcess, children, is_asleep, is_gone
from tests.tiers import by_tier

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.faults,
    pytest.mark.timeout(by_tier(90, 600, 7200)),
]

LEASE = 1.0
# A stale run is gone so long after its worker goes on (seconds); asserted in the highest tier.
GONE = by_tier(60.0, 60.0, 1.0)


class Part(Enum):
    """What of a worker is frozen while its job runs."""

    PARENT = auto()  # its nursery sees that the lease has passed
    PARENT_AND_NURSERY = auto()  # the job runs on
    PARENT_AND_NURSERY_LATE = auto()  # and has even ended when they wake
    EVERYTHING = auto()


def _parts() -> list[Part]:
    # The late one and another one on each database; or all of them, again and again.
    others = (Part.PARENT, Part.PARENT_AND_NURSERY, Part.EVERYTHING)
    here = others[databases.NAMES.index(TEST_DATABASE)]
    late = Part.PARENT_AND_NURSERY_LATE
    return by_tier([here, late], [*list(Part) * 2, late, late], [*list(Part) * 10, *[late] * 190])


@dataclass
class Frozen:
    """A worker of which a part is frozen.

    Attributes:
        runner: the process that runs its job.
        worker_id: what the worker is called in the database.
        lease: when its claim ended.
        also: what is frozen besides the parent.
    """

    worker: WorkerProcess
    runner: int
    worker_id: str
    lease: datetime
    also: list[int]

    def resume(self) -> None:
        """Let all of it go on."""
        _send(signal.SIGCONT, self.also)
        self.worker.send(signal.SIGCONT)


def _start_two(start_worker: Start, *, lease: float) -> list[WorkerProcess]:
    workers = [start_worker("--processes", "1", LEASE=lease, KILL_AFTER=0.3) for _ in range(2)]
    for worker in workers:
        worker.until(lambda worker=worker: " serves " in worker.log)
    return workers


def _freeze_who_runs(job: Job, part: Part, workers: list[WorkerProcess], ledger: Ledger) -> Frozen:
    (runner,) = workers[0].until(lambda: _runs_of(job, ledger))
    (owner,) = [worker for worker in workers if runner in worker.family]
    also = {
        Part.PARENT: [],
        Part.PARENT_AND_NURSERY: children(owner.pid),
        Part.PARENT_AND_NURSERY_LATE: children(owner.pid),
        Part.EVERYTHING: [pid for pid in owner.family if pid != owner.pid],
    }[part]
    # Before the parent: should this process be held up between the two, the lease would pass, and a nursery
    # that is awake would end the run.
    _send(signal.SIGSTOP, also)
    owner.until(lambda: _frozen_without_locks(owner, job))
    job.refresh_from_db()
    assert job.lease is not None
    return Frozen(owner, runner, job.worker_id, job.lease, also)


def _send(number: signal.Signals, pids: list[int]) -> None:
    for pid in pids:
        # The runner before may have been dying still: its nursery reaps it before it is frozen, or as soon as
        # it goes on.
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _frozen_without_locks(worker: WorkerProcess, job: Job) -> bool:
    """Freeze the worker; let it go on if that was in a transaction, whose locks would freeze all others."""
    worker.send(signal.SIGSTOP)
    try:
        with _impatient(), transaction.atomic():
            Job.objects.select_for_update(nowait=True).get(pk=job.pk)
    except OperationalError:
        worker.send(signal.SIGCONT)
        return False
    return True


@contextmanager
def _impatient() -> Iterator[None]:
    """Have SQLite, which locks when a transaction begins, not wait long for one that is frozen."""
    if connection.vendor != "sqlite":
        yield
        return
    _wait_for_locks(0.1)
    try:
        yield
    finally:
        _wait_for_locks(connection.settings_dict["OPTIONS"]["timeout"])


def _wait_for_locks(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")


def _runs_of(job: Job, ledger: Ledger, word: str = "START") -> list[int]:
    """Return the processes in which this job has begun, or ended."""
    lines = [line.split() for line in ledger.lines]
    return [int(pid) for said, job_id, pid in lines if (said, job_id) == (word, str(job.id))]


def _other_run(job: Job, frozen: Frozen, ledger: Ledger) -> int | None:
    found = _runs_of(job, ledger)
    return found[-1] if found[-1] != frozen.runner else None


def _say_go(job: Job, runner: int, place: Path) -> None:
    (place / f"go-{job.id}-{runner}").touch()


def test_only_the_run_of_the_living_worker_counts_and_that_of_the_frozen_one_is_ended(
    start_worker: Start, ledger: Ledger, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    workers = _start_two(start_worker, lease=LEASE)
    gone: list[float] = []
    for part in (parts := _parts()):
        job = jobs.hold_apart.using(max_attempts=5).enqueue(str(ledger), f"{tmp_path}/go")
        frozen = _freeze_who_runs(job, part, workers, ledger)
        refused = frozen.worker.log.count("its outcome was dropped")
        (heir,) = [worker for worker in workers if worker is not frozen.worker]
        heir.until(lambda job=job, frozen=frozen: _other_run(job, frozen, ledger))
        heir.until(lambda frozen=frozen: timezone.now() > frozen.lease + timedelta(seconds=LEASE))
        if part is Part.PARENT:
            heir.until(lambda frozen=frozen: is_gone(frozen.runner))
        else:
            assert not is_gone(frozen.runner)
        if part is Part.PARENT_AND_NURSERY_LATE:
            _say_go(job, frozen.runner, tmp_path)
            heir.until(lambda job=job: _runs_of(job, ledger, "END"))
            # It has said so before it reports: one that has not yet reported when they wake is ended.
            heir.until(lambda frozen=frozen: is_asleep(frozen.runner))
        frozen.resume()
        resumed = time.monotonic()
        if part is Part.PARENT_AND_NURSERY_LATE:
            heir.until(lambda f=frozen, n=refused: f.worker.log.count("its outcome was dropped") > n)
        else:
            heir.until(lambda frozen=frozen: is_gone(frozen.runner))
            gone += [time.monotonic() - resumed] if part is not Part.PARENT else []
        heir.until(lambda job=job, frozen=frozen: _ended_elsewhere(job, frozen, ledger, tmp_path))
        _assert_one_run_counts(job, frozen)
    late = parts.count(Part.PARENT_AND_NURSERY_LATE)
    record_property("size", f"{len(parts)} times frozen, {late} late outcomes, all refused")
    for seconds in gone:
        record_property("figure", ("a stale run is gone after its worker goes on (s)", seconds))
    assert max(gone, default=0.0) < GONE
    assert [worker.stop() for worker in workers] == [0, 0]


def _ended_elsewhere(job: Job, frozen: Frozen, ledger: Ledger, place: Path) -> bool:
    # A busy machine may let the other one's lease pass as well: then there is a third run.
    if (runner := _other_run(job, frozen, ledger)) is not None:
        _say_go(job, runner, place)
    job.refresh_from_db()
    return job.is_final


def _assert_one_run_counts(job: Job, frozen: Frozen) -> None:
    assert job.status == "completed"
    assert job.result(timeout=0) != frozen.runner
    counted = Attempt.objects.filter(job=job, outcome="completed")
    assert counted.get().worker_id != frozen.worker_id
    lost = Attempt.objects.filter(job=job, worker_id=frozen.worker_id)
    assert set(lost.values_list("outcome", flat=True)) <= {"interrupted", "crashed"}


def test_a_job_that_holds_the_gil_for_three_leases_is_not_taken_over(
    start_worker: Start, ledger: Ledger
) -> None:
    lease, count = by_tier(1.0, 1.5), by_tier(1, 10, 100)
    hung = [jobs.hold_the_gil.using(timeout=3 * lease).enqueue(str(ledger)) for _ in range(count)]
    workers = _start_two(start_worker, lease=lease)
    workers[0].until(lambda: not Job.objects.exclude(status="dead").exists(), patience=20 + 10 * count)
    assert set(Attempt.objects.values_list("outcome", "number")) == {("timed out", 1)}
    assert len(ledger.lines) == Attempt.objects.count() == len(hung)
    assert [worker.stop() for worker in workers] == [0, 0]
