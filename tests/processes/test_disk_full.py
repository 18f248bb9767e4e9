"""The disk under an SQLite file is full: who enqueues is told, workers live, and nothing is lost."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from django_jobs.models import Job
from django_jobs.states import FINAL
from tests import jobs_that_misbehave as jobs
from tests.faults.accounts import Accounts
from tests.faults.ledger import Ledger
from tests.faults.reckoning import broken
from tests.processes.conftest import PATIENCE, Ask, Start, WorkerProcess, used_here
from tests.small_disk import SmallDisk, mounted
from tests.tiers import by_tier

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.only_on("sqlite"),
    pytest.mark.faults(from_tier=1),
    pytest.mark.timeout(by_tier(120, 120, 3600)),
]

FAILS, ANSWERS = "the database fails", "the database answers again"
MEGABYTES, ROUNDS = 16, by_tier(1, 2, 40)
ROOM = 64 * 1024
FULL = 13  # SQLITE_FULL


@pytest.fixture
def disk(tmp_path: Path, transactional_db: None) -> Iterator[SmallDisk]:
    """Return a small disk with the database on it, which is `default` meanwhile."""
    with mounted(tmp_path / "disk", megabytes=MEGABYTES) as disk:
        entry = _entry(disk)
        with (
            closing(sqlite3.connect(connection.settings_dict["NAME"])) as usual,
            closing(sqlite3.connect(entry["NAME"])) as small,
        ):
            usual.backup(small)
        with used_here(entry):
            yield disk


def _entry(disk: SmallDisk) -> dict[str, Any]:
    return {"NAME": str(disk.path / "db.sqlite3")}


def _is_sound() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check")
        return cursor.fetchall() == [("ok",)]


def test_what_ended_while_the_disk_was_full_is_written_once_when_there_is_room(
    disk: SmallDisk, start_worker: Start
) -> None:
    worker = start_worker("--processes", "1", database=_entry(disk))
    worker.until_final(jobs.return_text.enqueue(1))
    disk.fill(leaving=ROOM)
    job = jobs.return_text.enqueue(10 * ROOM)
    worker.until(lambda: FAILS in worker.log)
    assert "full (free space on the disk)" in worker.log
    job.refresh_from_db()
    assert job.status == "running"
    disk.free()
    (job,) = worker.until_final(job)
    assert (len(job.result(timeout=0)), job.attempt_set.get().outcome) == (10 * ROOM, "completed")
    worker.until(lambda: ANSWERS in worker.log)
    assert worker.log.count(FAILS) == worker.log.count(ANSWERS) == 1
    assert worker.stop() == 0
    assert _is_sound()


def test_who_enqueues_on_a_full_disk_is_told_and_no_job_and_no_worker_is_lost(
    disk: SmallDisk,
    start_worker: Start,
    start_asking: Ask,
    record: Ledger,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    record_property("size", f"{ROUNDS} times full")
    chance = random.Random(seed)
    workers = [start_worker("--processes", "2", database=_entry(disk)) for _ in range(2)]
    asker = start_asking(record, seed, database=_entry(disk))
    for number in range(ROUNDS):
        seen = record.count("END")
        workers[0].until(lambda seen=seen: record.count("END") > seen)
        # Each other time it is the log that fills the disk, because somebody reads what was there before.
        reads, leaving = (_reading(disk), ROOM) if number % 2 else (nullcontext(), 0)
        record.write("OUTAGE", note="disk *")
        with reads:
            disk.fill(leaving=leaving)
            _fill_until_told(disk, workers[0], record, chance)
        _fill_until_told(disk, workers[0], record, chance)
        assert [worker.process.poll() for worker in workers] == [None, None]
        disk.free()
        record.write("BACK", note="disk *")
    asker.terminate()
    assert asker.wait(PATIENCE) == 0
    workers[0].until(lambda: not Job.objects.exclude(status__in=FINAL).exists())
    assert [worker.stop() for worker in workers] == [0, 0]
    assert broken(Accounts.read(record)) == []
    assert _is_sound()


def _fill_until_told(disk: SmallDisk, worker: WorkerProcess, record: Ledger, chance: random.Random) -> None:
    """Enqueue until the disk is full, also for a job that takes next to no room."""

    def told() -> bool:
        try:
            job = jobs.run_on_record.enqueue(str(record), chance.uniform(0, 0.05))
        except OperationalError as error:
            if getattr(error.__cause__, "sqlite_errorcode", None) != FULL:
                raise
            return True
        record.write("ENQUEUED", job.id)
        disk.fill()
        return False

    worker.until(told)


@contextmanager
def _reading(disk: SmallDisk) -> Iterator[None]:
    with closing(sqlite3.connect(_entry(disk)["NAME"], isolation_level=None)) as stranger:
        stranger.execute("BEGIN")
        stranger.execute("SELECT count(*) FROM django_jobs_job").fetchone()
        yield
