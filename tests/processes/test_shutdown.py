"""TERM and INT: what runs may finish, what does not run is given back, nothing stays running."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from django.db import transaction

from django_jobs.models import Attempt, Job
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, children, is_gone

pytestmark = pytest.mark.django_db(transaction=True)


def _family(pid: int) -> list[int]:
    return [each for nursery in children(pid) for each in (nursery, *children(nursery))]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_worker_ends_with_0(start_worker: Start, ledger: Ledger, number: int) -> None:
    worker = start_worker()
    worker.until_final(jobs.note.enqueue(str(ledger), "up"))
    # The job may be over before the other runner is there.
    processes = worker.until(lambda: len(found := _family(worker.pid)) == 3 and found)
    worker.send(number)
    assert worker.wait() == 0
    worker.until(lambda: all(is_gone(pid) for pid in processes))


def test_a_running_job_finishes_within_the_grace_period(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    running = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
    waiting = [jobs.note.enqueue(str(ledger), "no") for _ in range(5)]
    worker = start_worker("--processes", "1", "--grace", "15")
    worker.until(lambda: ledger.lines)
    worker.send(signal.SIGTERM)
    worker.until(lambda: Job.objects.ready().count() == len(waiting))
    (tmp_path / "go").touch()
    assert worker.wait() == 0
    assert running.result(timeout=0) == "held"
    assert [line.split()[0] for line in ledger.lines] == ["START", "END"]
    assert not Job.objects.running().exists()
    assert Attempt.objects.count() == 1


def test_what_is_claimed_and_has_not_begun_goes_back_at_once_uncharged(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    imports = ["tests.jobs_that_misbehave", "tests.processes.holds_ahead"]
    worker = start_worker("--processes", "1", "--grace", "600", claim_size=6, IMPORTS=imports)
    worker.until_final(
        jobs.note.enqueue(f"{tmp_path}/before", "short")
    )  # it works ahead when it knows its runs
    with transaction.atomic():
        running = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
        waiting = [jobs.note.enqueue(str(ledger), "no").pk for _ in range(5)]
    worker.until(lambda: ledger.lines and Job.objects.running().count() == 6)
    worker.send(signal.SIGTERM)
    back = Job.objects.filter(pk__in=waiting, status="ready")
    worker.until(lambda: back.count() == 5, why="what has not begun is not given back at once")
    assert Job.objects.running().get().pk == running.pk
    told = back.values_list("status", "attempts", "interruptions", "worker_id", "claim_token", "started_at")
    assert set(told) == {("ready", 0, 0, "", None, None)}
    assert not Attempt.objects.filter(job__in=waiting).exists()
    (tmp_path / "go").touch()
    assert worker.wait() == 0
    assert set(told) == {("ready", 0, 0, "", None, None)}
    assert (len(ledger.lines), Attempt.objects.get(job=running).outcome) == (2, "completed")


def test_what_still_runs_after_the_grace_period_goes_back_uncharged(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    running = jobs.hold.enqueue(str(ledger), f"{tmp_path}/never")
    worker = start_worker("--grace", "0.2")
    worker.until(lambda: ledger.lines)
    assert worker.stop() == 0
    running.refresh_from_db()
    assert (running.status, running.attempts, running.interruptions) == ("ready", 0, 1)
    assert Attempt.objects.get(job=running).outcome == "interrupted"
    assert is_gone(ledger.pids()[0])


def test_a_second_signal_ends_the_grace_period(start_worker: Start, ledger: Ledger, tmp_path: Path) -> None:
    running = jobs.hold.enqueue(str(ledger), f"{tmp_path}/never")
    worker = start_worker("--grace", "1000")
    worker.until(lambda: ledger.lines)
    worker.send(signal.SIGTERM)
    # Two signals at once are one to the kernel: the second must come after the first was heard.
    worker.until(lambda: "stopping" in worker.log)
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
    running.refresh_from_db()
    assert running.status == "ready"


def test_a_signal_to_the_whole_group_ends_no_job(start_worker: Start, ledger: Ledger, tmp_path: Path) -> None:
    running = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go")
    worker = start_worker("--grace", "15")
    worker.until(lambda: ledger.lines)
    nursery = children(worker.pid)[0]
    for pid in (nursery, ledger.pids()[0], worker.pid):
        os.kill(pid, signal.SIGTERM)
    worker.until(lambda: not Job.objects.ready().exists())
    (tmp_path / "go").touch()
    assert worker.wait() == 0
    assert running.result(timeout=0) == "held"


def test_a_busy_worker_told_to_stop_leaves_nothing_running(start_worker: Start, ledger: Ledger) -> None:
    written = jobs.note.enqueue_many([(str(ledger), str(number)) for number in range(3000)])
    worker = start_worker()
    worker.until(lambda: len(ledger.lines) > 50)
    assert worker.stop() == 0
    stats = Job.objects.stats()["total"]
    assert stats["running"] == 0
    assert stats["ready"] + stats["completed"] == len(written)
    assert stats["completed"] == Attempt.objects.filter(outcome="completed").count() == len(ledger.lines)
