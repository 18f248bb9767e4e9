"""What a job says of itself can be read by others while it runs, and stays whatever becomes of it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from django_jobs.models import Attempt, Job, JobNote
from django_jobs.notes import Progress
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start

pytestmark = pytest.mark.django_db(transaction=True)


def test_others_see_how_far_a_job_is_while_it_runs(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.speak_and_hold.enqueue(str(ledger), f"{tmp_path}/go")
    assert (job.progress, job.meta, job.log) == (None, {}, "")
    worker = start_worker("--burst")
    worker.until(lambda: job.meta)
    assert Job.objects.get().status == "running"
    assert (job.progress, job.meta, job.log) == (Progress(1.0, 4.0, "first quarter"), {"seen": 1}, "began")
    (tmp_path / "go").touch()
    worker.wait()
    assert (job.progress, job.log) == (Progress(4.0, 4.0), "began\nended")
    assert Attempt.objects.get().log == "began\nended"


def test_meta_stays_after_an_exception_and_the_next_attempt_begins_with_it(start_worker: Start) -> None:
    job = jobs.remember_and_fail.enqueue()
    start_worker("--burst").wait()
    job.refresh_from_db()
    assert job.result(timeout=0) == [1, 2, 3]
    assert job.meta == {"attempts": [1, 2, 3]}
    assert list(Attempt.objects.order_by("id").values_list("log", flat=True)) == [
        "attempt 1",
        "attempt 2",
        "attempt 3",
    ]


def test_a_killed_job_leaves_its_log_and_its_meta(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.speak_and_hold.using(max_attempts=1).enqueue(str(ledger), f"{tmp_path}/go")
    worker = start_worker("--burst")
    worker.until(lambda: ledger.lines)
    os.kill(ledger.pids()[0], signal.SIGKILL)
    worker.wait()
    assert Attempt.objects.values_list("outcome", "log").get() == ("crashed", "began")
    assert (job.progress, job.meta) == (Progress(1.0, 4.0, "first quarter"), {"seen": 1})


def test_the_job_of_a_killed_worker_keeps_what_was_written(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    job = jobs.speak_and_hold.enqueue(str(ledger), f"{tmp_path}/go")
    doomed = start_worker(LEASE=1.5)
    doomed.until(lambda: job.log)
    doomed.send(signal.SIGKILL)
    doomed.wait()
    (tmp_path / "go").touch()
    start_worker(LEASE=1.5).until_final(job)
    assert list(Attempt.objects.order_by("id").values_list("log", flat=True)) == ["began", "began\nended"]


def test_of_a_job_that_talks_a_hundred_thousand_times_the_last_word_stays(start_worker: Start) -> None:
    job = jobs.chatter.enqueue(100_000)
    start_worker("--burst").wait()
    assert job.progress == Progress(100_000.0, 100_000.0)


@pytest.mark.parametrize(("width", "kept"), [(10, range(300, 500)), (1000, range(435, 500))])
def test_an_attempt_keeps_the_newest_lines_of_its_log(start_worker: Start, width: int, kept: range) -> None:
    job = jobs.log_lines.enqueue(500, width)
    start_worker("--burst", "--processes", "1").wait()
    gone, *lines = job.attempt_set.get().log.splitlines()
    assert str(kept.start) in gone
    assert [int(line.split()[0]) for line in lines] == list(kept)


def test_threads_and_coroutines_of_a_job_are_heard_and_its_processes_are_not(start_worker: Start) -> None:
    job = jobs.speak_everywhere.enqueue()
    start_worker("--burst").wait()
    assert job.log == "thread\ncoroutine"
    assert JobNote.objects.get().job_id == job.pk
