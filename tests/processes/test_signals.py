"""Signals of a real worker: what it writes is told once, whatever receivers do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from django_jobs.models import Job
from django_jobs.serializers import Owner, load_args
from tests import jobs
from tests import jobs_that_misbehave as misbehaving
from tests.processes.conftest import SOON, Ledger, Start, WorkerProcess, children

pytestmark = pytest.mark.django_db(transaction=True)
# All that is told by the worker.
OURS = (
    "job_enqueued job_started job_completed attempt_failed attempt_timed_out retry_scheduled job_dead "
    "job_cancelled worker_started worker_stopped"
)
Listen = Callable[..., WorkerProcess]


@pytest.fixture
def listen(start_worker: Start, subprocess_environment: dict[str, str], ledger: Ledger) -> Listen:
    """Return a function that starts a worker whose project listens to these signals."""

    def start(*options: str, heard: str = OURS, misbehaving: str = "", **settings: object) -> WorkerProcess:
        subprocess_environment.update(
            TEST_HEARD=heard, TEST_MISBEHAVING=misbehaving, TEST_RECEIVERS=str(ledger)
        )
        imports = ["tests.jobs_that_misbehave", "tests.receivers"]
        return start_worker(*options, IMPORTS=imports, **settings)

    return start


def told(ledger: Ledger, job: Job | None = None) -> list[list[str]]:
    """Return what was heard of a job, or of workers: the signal, the sender, and what came with it."""
    lines = [line.split() for line in ledger.lines]
    about = [line for line in lines if line[1] == (str(job.pk) if job else "-")]
    # What starts is told by the process that runs it, before or after what another one tells of the job.
    return [[line[0], *line[2:3], *line[4:]] for line in about if line[0] != "job_started"]


def starts(ledger: Ledger, job: Job) -> int:
    """Return how often the job's start was heard."""
    return sum(line.startswith(f"job_started {job.pk}") for line in ledger.lines)


def names(ledger: Ledger, job: Job | None = None) -> list[str]:
    """Return the signals alone."""
    return [line[0] for line in told(ledger, job)]


@pytest.mark.parametrize("method", ["fork", "exec"])
def test_every_end_of_a_job_is_told_once_and_in_order(method: str, listen: Listen, ledger: Ledger) -> None:
    good = jobs.add.enqueue(1)
    retried = jobs.fail.using(max_attempts=2, on_failure="tests.jobs.echo").enqueue()
    slow = misbehaving.sleep_long.using(timeout=SOON).enqueue("/dev/null")
    crashed = misbehaving.kill_myself.using(max_attempts=1).enqueue(9)
    unstorable = misbehaving.return_lock.using(max_attempts=1).enqueue()
    spoilt = jobs.add.enqueue(1)
    Job.objects.filter(pk=spoilt.pk).update(timeout=-1)
    gone = jobs.add.enqueue(1)
    Job.objects.filter(pk=gone.pk).update(function="gone.function")
    everything = [good, retried, slow, crashed, unstorable, spoilt, gone]
    worker = listen("--start-method", method, UNKNOWN_FUNCTION_TTL=0, KILL_AFTER=0.2)
    worker.until_final(*everything)
    (answer,) = worker.until(lambda: Job.objects.filter(function="tests.jobs.echo"))
    worker.until_final(answer)
    assert worker.stop() == 0
    assert [line[:2] for line in told(ledger, good)] == [["job_completed", "tests.jobs.add"]]
    failed = ["attempt_failed", "tests.jobs.fail", "error=ValueError", "outcome=failed"]
    assert told(ledger, retried) == [
        failed,
        ["retry_scheduled", "tests.jobs.fail", "delay=0.0", "error=ValueError"],
        failed,
        ["job_dead", "tests.jobs.fail", "error=ValueError"],
    ]
    assert names(ledger, slow) == ["attempt_timed_out", "attempt_failed", "job_dead"]
    assert told(ledger, crashed) == [
        ["attempt_failed", crashed.function, "error=RunnerDied", "outcome=crashed"],
        ["job_dead", crashed.function, "error=RunnerDied"],
    ]
    assert names(ledger, unstorable) == ["attempt_failed", "job_dead"]
    assert told(ledger, spoilt)[-1] == ["job_dead", "tests.jobs.add", "error=CorruptRow"]
    assert told(ledger, gone)[-1] == ["job_dead", "-", "error=django_jobs.exceptions.UnknownJobFunction"]
    assert names(ledger, answer) == ["job_enqueued", "job_completed"]
    assert [starts(ledger, job) for job in [*everything, answer]] == [1, 2, 1, 1, 1, 0, 0, 1]
    assert load_args(answer.args, Owner(answer.pk, answer.function)) == ([retried.pk], {})
    assert names(ledger) == ["worker_started", "worker_stopped"]


def test_running_jobs_that_are_cancelled_and_rescued_ones_are_told(
    listen: Listen, start_worker: Start, ledger: Ledger
) -> None:
    forced = misbehaving.sleep_long.enqueue("/dev/null")
    worker = listen("--processes", "1", KILL_AFTER=0.2, LEASE=2)
    worker.until(lambda: starts(ledger, forced))
    forced.cancel(force=True)
    worker.until_final(forced)
    worker.until(lambda: "job_cancelled" in names(ledger, forced))
    lost = misbehaving.sleep_long.using(max_attempts=1, timeout=None).enqueue("/dev/null")
    worker.until(lambda: Job.objects.filter(pk=lost.pk, started_at__isnull=False))
    worker.end()
    rescuer = listen(LEASE=2)
    rescuer.until_final(lost)
    rescuer.until(lambda: "job_dead" in names(ledger, lost))
    assert rescuer.stop() == 0
    assert names(ledger, forced) == ["job_cancelled"]
    assert names(ledger, lost) == ["attempt_failed", "job_dead"]
    assert told(ledger, lost)[-1][-1] == "error=WorkerLost"


@pytest.mark.parametrize("how", ["raises", "exits", "dies", "hangs", "hangs_hard", "forks", "leaves_open"])
def test_whatever_a_receiver_does_the_others_are_told_once_and_the_worker_ends(
    how: str, listen: Listen, ledger: Ledger
) -> None:
    one, two = jobs.add.enqueue(1), jobs.add.enqueue(2)
    failing = jobs.fail.using(max_attempts=1).enqueue()
    # In the order they are connected in: the one that writes before the one that misbehaves.
    worker = listen(
        heard="job_completed job_dead worker_stopped",
        misbehaving=f"job_completed:{how}",
        RECEIVER_TIMEOUT=SOON,
        KILL_AFTER=0.2,
    )
    worker.until_final(one, two, failing)
    worker.until(lambda: len(ledger.lines) >= (5 if how == "leaves_open" else 3))
    assert worker.stop() == 0
    assert [names(ledger, job).count("job_completed") for job in (one, two)] == [1, 1]
    assert names(ledger, failing) == ["job_dead"]
    assert names(ledger) == ["worker_stopped"]
    words = {"raises": "a broken receiver", "exits": "SystemExit", "dies": "exited with code 3"}
    words |= {"hangs": "HardTimeout", "hangs_hard": "RECEIVER_TIMEOUT and was killed by SIGKILL"}
    assert words.get(how, "") in worker.log
    assert [line.split()[2] for line in ledger.lines if line.startswith("groups")] in ([], ["0", "0"])


def test_a_coroutine_is_told_too(listen: Listen, ledger: Ledger) -> None:
    job = jobs.add.enqueue(1)
    worker = listen(heard="", misbehaving="job_completed:awaits")
    worker.until_final(job)
    assert worker.stop() == 0
    assert names(ledger, job) == ["awaited"]


def test_an_end_that_cannot_be_written_for_a_while_is_told_when_it_is_and_once(
    listen: Listen, ledger: Ledger, tmp_path: Path
) -> None:
    job = misbehaving.hold.enqueue(f"{tmp_path}/held", f"{tmp_path}/go")
    worker = listen("--processes", "1")
    worker.until((tmp_path / "held").exists)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_jobs_attempt RENAME TO away")
        try:
            (tmp_path / "go").touch()
            worker.until(lambda: "the database fails" in worker.log)
        finally:
            cursor.execute("ALTER TABLE away RENAME TO django_jobs_attempt")
    worker.until_final(job, why="an end that could not be written is not written later")
    assert job.attempt_set.count() == 1
    worker.until(lambda: names(ledger, job))
    assert worker.stop() == 0
    assert names(ledger, job) == ["job_completed"]


def test_a_worker_ends_although_a_receiver_of_its_end_does_not(listen: Listen) -> None:
    worker = listen("--grace", "0.3", heard="", misbehaving="worker_stopped:hangs_hard")
    worker.until(lambda: "serves" in worker.log)
    assert worker.stop() == 0
    assert "not told of 1 events: the worker has ended" in worker.log


def test_where_nobody_listens_no_process_is_made_for_it(listen: Listen, ledger: Ledger) -> None:
    jobs.add.enqueue_many([(1,), (2,)])
    last = misbehaving.hold.enqueue(str(ledger), str(ledger.path.parent / "end"))
    worker = listen("--processes", "1", heard="")
    worker.until(lambda: ledger.lines)
    (nursery,) = children(worker.pid)
    assert children(nursery) == [ledger.pids()[0]]
    (ledger.path.parent / "end").touch()
    worker.until_final(last)
    assert worker.stop() == 0
