"""A worker that looks for jobs by itself only each half minute starts them at once all the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import PATIENCE, Ledger, Start, WorkerProcess

pytestmark = pytest.mark.django_db(transaction=True)

# Long beyond the patience of the tests: what is run within it was not found by polling.
POLL_INTERVAL = 10 * PATIENCE


@pytest.fixture
def idle_worker(start_worker: Start, ledger: Ledger) -> Any:
    """Return a function that starts a worker and waits until it has run one job and waits for more."""

    def start(*options: str, **settings: Any) -> WorkerProcess:
        worker = start_worker(*options, POLL_INTERVAL=POLL_INTERVAL, **settings)
        worker.until_final(jobs.note.enqueue(str(ledger), "first"))
        return worker

    return start


@pytest.mark.only_on("sqlite", "postgresql")
def test_a_job_of_another_process_is_started_at_once(idle_worker: Any, ledger: Ledger) -> None:
    worker = idle_worker()
    for word in ("second", "third"):
        worker.until_final(jobs.note.enqueue(str(ledger), word))
    assert ledger.lines == ["first", "second", "third"]
    assert worker.stop() == 0


@pytest.mark.only_on("sqlite", "postgresql")
def test_a_job_for_a_little_later_is_started_when_it_is_due(idle_worker: Any, ledger: Ledger) -> None:
    worker = idle_worker()
    worker.until_final(jobs.note.using(run_after=timedelta(seconds=0.5)).enqueue(str(ledger), "later"))
    assert ledger.lines == ["first", "later"]


@pytest.mark.only_on("sqlite")
def test_a_worker_without_inotify_is_woken_as_well(idle_worker: Any, ledger: Ledger) -> None:
    worker = idle_worker(IMPORTS=["tests.jobs_that_misbehave", "tests.processes.without_inotify"])
    worker.until_final(jobs.note.enqueue(str(ledger), "second"))
    assert ledger.lines == ["first", "second"]
    assert "asking each 0.05 s whether the database was written" in worker.log


def test_a_worker_that_no_news_reach_looks_by_itself(start_worker: Start, ledger: Ledger) -> None:
    worker = start_worker(IMPORTS=["tests.jobs_that_misbehave", "tests.processes.hears_nothing"])
    for word in ("first", "second"):
        job = jobs.note.enqueue(str(ledger), word)
        worker.until_final(job, why="a worker that hears nothing does not look by itself")
    assert ledger.lines == ["first", "second"]


@pytest.mark.only_on("sqlite", "postgresql")
def test_a_worker_with_no_slot_free_takes_what_came_meanwhile_when_one_is(
    idle_worker: Any, ledger: Ledger, tmp_path: Any
) -> None:
    worker = idle_worker("--processes", "1")
    release = tmp_path / "release"
    held = jobs.hold.enqueue(str(ledger), str(release))
    worker.until(lambda: len(ledger.lines) == 2)
    waiting = [jobs.note.enqueue(str(ledger), f"waited {number}") for number in range(3)]
    connection.close()
    release.touch()
    worker.until_final(held, *waiting)


@pytest.mark.only_on("postgresql")
def test_a_listening_connection_that_is_ended_is_replaced_and_the_log_says_so_once(
    idle_worker: Any, ledger: Ledger
) -> None:
    worker = idle_worker()
    (before,) = worker.until(_listening)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [before])
    worker.until(lambda: [pid for pid in _listening() if pid != before])
    worker.until(lambda: "new jobs wake this worker again" in worker.log)
    worker.until_final(jobs.note.enqueue(str(ledger), "second"))
    assert ledger.lines == ["first", "second"]
    assert worker.log.count("new jobs do not wake this worker") == 1
    assert "the database answers again" not in worker.log
    assert worker.stop() == 0


@pytest.mark.only_on("postgresql")
def test_a_worker_that_stops_leaves_no_listening_connection(idle_worker: Any) -> None:
    worker = idle_worker()
    worker.until(_listening)
    assert worker.stop() == 0
    worker.until(lambda: not _listening())


def _listening() -> list[int]:
    """Return the pids of the server's processes that serve this database's listeners."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()",
            ["django_jobs listener"],
        )
        return [pid for (pid,) in cursor.fetchall()]
