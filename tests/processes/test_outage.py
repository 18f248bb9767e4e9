"""The database goes away, falls silent or refuses: a worker outlives it, says so, and loses nothing."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from django_jobs.models import Attempt, Job
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, WorkerProcess, is_gone, through, used_here
from tests.proxy import Proxy
from tests.tiers import by_tier

pytestmark = pytest.mark.django_db(transaction=True)
servers_only = pytest.mark.only_on("postgresql", "mariadb")

FAILS, ANSWERS = "the database fails", "the database answers again"


def _idle(worker: WorkerProcess, ledger: Ledger) -> None:
    """Wait until the worker has worked, and has nothing more to do."""
    worker.until_final(jobs.note.enqueue(str(ledger), "up"))


@servers_only
def test_a_worker_started_before_its_database_waits_for_it(
    start_worker: Start, ledger: Ledger, proxy: Proxy
) -> None:
    proxy.refuse()
    job = jobs.note.enqueue(str(ledger), "patient")
    worker = start_worker(database=through(proxy))
    worker.until(lambda: FAILS in worker.log)
    assert "(is the server up? check DATABASES['default'])" in worker.log
    proxy.allow()
    (job,) = worker.until_final(job)
    assert job.result(timeout=0) == "patient"
    assert worker.log.count(FAILS) == worker.log.count(ANSWERS) == 1
    assert worker.stop() == 0


@servers_only
def test_a_worker_waiting_for_its_database_can_be_stopped(start_worker: Start, proxy: Proxy) -> None:
    proxy.refuse()
    worker = start_worker(database=through(proxy))
    worker.until(lambda: FAILS in worker.log)
    assert worker.stop() == 0
    assert "Traceback" not in worker.log


@servers_only
def test_connections_cut_again_and_again_lose_and_double_nothing(
    start_worker: Start, ledger: Ledger, proxy: Proxy, seed: int
) -> None:
    count = 300
    jobs.note.enqueue_many([(str(ledger), str(number)) for number in range(count)])
    # The lease of a claim whose commit was not answered has to run out.
    worker = start_worker(database=through(proxy), LEASE=3)
    chance = random.Random(seed)
    for _ in range(15):
        seen = len(ledger.lines)
        worker.until(lambda seen=seen: len(ledger.lines) >= min(count, seen + chance.randint(1, 15)))
        proxy.cut()
    worker.until(lambda: Job.objects.completed().count() == count)
    assert worker.stop() == 0
    assert FAILS in worker.log
    assert Counter(ledger.lines) == Counter(str(number) for number in range(count))
    assert Attempt.objects.filter(outcome="completed").count() == count


@servers_only
@pytest.mark.parametrize("request_", [b"COMMIT", b"SET status = 'running'"], ids=["commit", "claim"])
def test_commits_and_claims_whose_reply_is_lost_lose_and_double_nothing(
    start_worker: Start, ledger: Ledger, proxy: Proxy, request_: bytes
) -> None:
    # The lease of a claim that nobody has heard of has to run out.
    worker = start_worker(database=through(proxy), LEASE=2)
    _idle(worker, ledger)
    proxy.swallow_replies_to(request_, times=10)
    count = 0
    while proxy.swallows:
        jobs.note.enqueue(str(ledger), str(count))
        count += 1
        worker.until(lambda: not proxy.swallows or not Job.objects.ready().exists())
    worker.until(lambda: Job.objects.completed().count() == count + 1)
    assert worker.stop() == 0
    assert Counter(ledger.lines) == Counter(["up", *(str(number) for number in range(count))])
    assert Attempt.objects.filter(outcome="completed").count() == count + 1


@servers_only
def test_a_runners_connection_that_was_cut_does_not_fail_the_next_job(
    start_worker: Start, proxy: Proxy
) -> None:
    worker = start_worker("--processes", "1", database=through(proxy))
    for _ in range(3):
        (job,) = worker.until_final(jobs.read_database.enqueue())
        assert (job.status, job.attempts) == ("completed", 1)
        proxy.cut()
    assert worker.stop() == 0


@servers_only
def test_what_ended_during_an_outage_is_written_once_after_it(
    start_worker: Start, ledger: Ledger, proxy: Proxy, tmp_path: Path
) -> None:
    worker = start_worker("--processes", "1", database=through(proxy))
    job = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go", "kept")
    worker.until(lambda: ledger.lines)
    proxy.refuse()
    (tmp_path / "go").touch()
    worker.until(lambda: len(ledger.lines) == 2 and FAILS in worker.log)
    job.refresh_from_db()
    assert job.status == "running"
    proxy.allow()
    (job,) = worker.until_final(job)
    assert (job.result(timeout=0), job.attempts, job.attempt_set.count()) == ("kept", 1, 1)
    assert [line.split()[0] for line in ledger.lines] == ["START", "END"]


@servers_only
@pytest.mark.faults
@pytest.mark.timeout(by_tier(60, 120, 900))
@pytest.mark.parametrize("fault", ["refuse", "freeze"])
def test_a_database_away_for_longer_than_the_lease_ends_the_runs_and_they_are_repeated(
    start_worker: Start, ledger: Ledger, proxy: Proxy, tmp_path: Path, fault: str
) -> None:
    worker = start_worker("--processes", "1", database=through(proxy), LEASE=1)
    for _ in range(by_tier(1, 5, 25)):
        job = jobs.hold_apart.enqueue(str(ledger), f"{tmp_path}/go")
        runner = _newest_run(worker, ledger, job)
        getattr(proxy, fault)()
        _wait_for_its_end(worker, job, runner)
        proxy.allow() if fault == "refuse" else proxy.thaw()
        _assert_interrupted_and_repeated(worker, ledger, job, tmp_path)
    assert worker.stop() == 0


@pytest.mark.only_on("sqlite")
@pytest.mark.faults
@pytest.mark.timeout(by_tier(60, 120, 900))
def test_a_file_locked_for_longer_than_the_lease_ends_the_runs_and_they_are_repeated(
    start_worker: Start, ledger: Ledger, tmp_path: Path
) -> None:
    worker = start_worker("--processes", "1", LEASE=1)
    for _ in range(by_tier(1, 5, 25)):
        job = jobs.hold_apart.enqueue(str(ledger), f"{tmp_path}/go")
        runner = _newest_run(worker, ledger, job)
        with transaction.atomic():  # it begins with the one lock for writing
            _wait_for_its_end(worker, job, runner)
        _assert_interrupted_and_repeated(worker, ledger, job, tmp_path)
    assert worker.stop() == 0


def _newest_run(worker: WorkerProcess, ledger: Ledger, job: Job) -> int:
    """Wait for a start of this job; return its newest process."""
    mine: list[str] = worker.until(lambda: [line for line in ledger.lines if str(job.id) in line])
    return int(mine[-1].split()[-1])


def _wait_for_its_end(worker: WorkerProcess, job: Job, runner: int) -> None:
    """Wait until a runner is gone; in the higher tiers until three leases are over."""
    job.refresh_from_db()
    worker.until(lambda: is_gone(runner))
    assert job.lease is not None
    moment = job.lease + by_tier(timedelta(0), timedelta(seconds=2))
    worker.until(lambda: timezone.now() > moment)


def _assert_interrupted_and_repeated(worker: WorkerProcess, ledger: Ledger, job: Job, place: Path) -> None:
    def ended() -> bool:
        (place / f"go-{job.id}-{_newest_run(worker, ledger, job)}").touch()
        job.refresh_from_db()
        return job.is_final

    worker.until(ended)
    assert (job.status, job.attempts) == ("completed", 1)
    outcomes = Counter(job.attempt_set.values_list("outcome", flat=True))
    assert outcomes["completed"] == 1
    assert outcomes["interrupted"] == outcomes.total() - 1 >= 1
    assert ledger.lines[-1].startswith(f"END {job.id}")


@servers_only
def test_a_worker_that_is_cut_off_gives_way_to_one_that_is_not(
    start_worker: Start, ledger: Ledger, proxy: Proxy, tmp_path: Path
) -> None:
    cut_off = start_worker("--processes", "1", database=through(proxy), LEASE=1)
    job = jobs.hold.enqueue(str(ledger), f"{tmp_path}/go", "taken over")
    cut_off.until(lambda: ledger.lines)
    proxy.refuse()
    other = start_worker("--processes", "1", LEASE=1)
    other.until(lambda: len(ledger.lines) == 2)
    other.until(lambda: is_gone(ledger.pids()[0]))
    (tmp_path / "go").touch()
    (job,) = other.until_final(job)
    completed = job.attempt_set.get(outcome="completed")
    assert other.stop() == 0
    proxy.allow()
    after = jobs.note.enqueue(str(ledger), "after")
    cut_off.until_final(after)
    assert cut_off.stop() == 0
    assert after.attempt_set.get().worker_id != completed.worker_id
    job.refresh_from_db()
    assert (job.status, job.attempt_set.get(outcome="completed").pk) == ("completed", completed.pk)


@servers_only
def test_a_worker_ends_in_time_although_its_database_is_silent(
    start_worker: Start, ledger: Ledger, proxy: Proxy
) -> None:
    worker = start_worker("--grace", "1", database=through(proxy))
    _idle(worker, ledger)
    proxy.freeze()
    assert worker.stop() == 0
    assert "the time for the last writes is over" in worker.log


@servers_only
@pytest.mark.parametrize(
    "entry", [{"USER": "nobody_of_the_sort", "PASSWORD": "wrong"}, {"NAME": "nothing_of_the_sort"}]
)
def test_a_worker_that_is_refused_says_where_to_look_and_lives(
    start_worker: Start, entry: dict[str, str]
) -> None:
    worker = start_worker(database=entry)
    worker.until(lambda: FAILS in worker.log)
    (said,) = [line for line in worker.log.splitlines() if FAILS in line]
    assert "check DATABASES['default']" in said
    assert "of_the_sort" in said
    assert worker.stop() == 0


@servers_only
def test_a_server_without_the_tables_is_refused_with_the_command_that_makes_them(start_worker: Start) -> None:
    other = {"postgresql": "postgres", "mysql": "information_schema"}[connection.vendor]
    worker = start_worker(database={"NAME": other})
    assert worker.wait() == 1
    assert "has no table django_jobs_job: run `manage.py migrate` first" in worker.log


def test_a_table_that_goes_missing_is_named_and_waited_for(start_worker: Start, ledger: Ledger) -> None:
    worker = start_worker()
    _idle(worker, ledger)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_jobs_job RENAME TO away")
        try:
            worker.until(lambda: FAILS in worker.log)
        finally:
            cursor.execute("ALTER TABLE away RENAME TO django_jobs_job")
    assert "django_jobs_job" in worker.log
    assert "manage.py migrate" in worker.log
    worker.until_final(jobs.note.enqueue(str(ledger), "after"))
    assert worker.stop() == 0


@pytest.mark.only_on("sqlite")
def test_a_file_that_may_only_be_read_is_named_and_the_worker_lives(
    start_worker: Start, ledger: Ledger
) -> None:
    jobs.note.enqueue(str(ledger), "never")
    worker = start_worker(database={"NAME": f"file:{connection.settings_dict['NAME']}?mode=ro"})
    worker.until(lambda: FAILS in worker.log)
    assert "make the file and its folder writable for this user" in worker.log
    assert worker.stop() == 0
    assert ledger.lines == []


@servers_only
def test_the_jobs_command_says_one_line_about_a_server_that_is_away(
    subprocess_environment: dict[str, str],
) -> None:
    environment = {
        **subprocess_environment,
        "DJANGO_SETTINGS_MODULE": "tests.processes.settings",
        "PYTHONPATH": os.getcwd(),
        "TEST_DATABASE_ENTRY": '{"HOST": "127.0.0.1", "PORT": "1"}',
    }
    command = [sys.executable, "-m", "django", "jobs", "list"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    said = ended.stderr.splitlines()[-1]  # behind what the system checks have to say
    assert said.startswith("CommandError: the database fails: ")
    assert said.endswith("(is the server up? check DATABASES['default'])")


@servers_only
def test_enqueue_gives_its_caller_the_drivers_own_error(ledger: Ledger) -> None:
    with used_here({"HOST": "127.0.0.1", "PORT": "1"}), pytest.raises(OperationalError):
        jobs.note.enqueue(str(ledger), "nowhere")
    assert not Job.objects.exists()
