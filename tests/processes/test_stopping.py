"""Jobs that hang: they are gone after their limit, may clean up before, and the next job runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_jobs.models import Attempt, Job, JobError
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import SOON, Ledger, Start, WorkerProcess, children, is_gone
from tests.tiers import by_tier

pytestmark = pytest.mark.django_db(transaction=True)

TOO_LONG = f"ran longer than its timeout of {SOON:g} s"
STOPPED, KILLED = "and was stopped", "and was killed"
KINDS = [
    (jobs.sleep_long, STOPPED),
    (jobs.spin, STOPPED),
    (jobs.hold_the_gil, KILLED),
    (jobs.stubborn_child, STOPPED),
    (jobs.await_long, STOPPED),
]


@pytest.mark.parametrize("method", ["fork", "exec"])
def test_hung_jobs_are_gone_after_their_timeout(start_worker: Start, ledger: Ledger, method: str) -> None:
    hung = {function.using(timeout=SOON).enqueue(str(ledger)): end for function, end in KINDS}
    worker = start_worker("--processes", "2", "--start-method", method, KILL_AFTER=SOON)
    ended = worker.until_final(*hung, why="a run has outlived its time limit")
    for job, end in zip(ended, hung.values(), strict=True):
        assert job.status == "dead"
        assert Attempt.objects.get(job=job).outcome == "timed out"
        error = JobError.objects.get(job=job)
        assert (error.kind, error.message) == ("timeout", f"{TOO_LONG} {end}")
        assert (job.function.rpartition(".")[2] in error.traceback) is (end == STOPPED)
    _assert_gone(worker, ledger, runs=len(KINDS))
    worker.until_final(jobs.note.enqueue(str(ledger), "next"))
    assert ledger.lines[-1] == "next"
    assert "Traceback" not in worker.log


@pytest.mark.faults
@pytest.mark.timeout(by_tier(60, 300, 3600))
def test_whatever_a_hung_job_has_started_is_gone_with_it(
    start_worker: Start, ledger: Ledger, record_property: Callable[[str, object], None]
) -> None:
    kinds, count = (jobs.hold_the_gil, jobs.stubborn_child, jobs.stubborn_family), by_tier(5, 5, 100)
    hung = [kind.using(timeout=SOON).enqueue(str(ledger)) for _ in range(count) for kind in kinds]
    worker = start_worker("--processes", "5", KILL_AFTER=0.3)
    worker.until(lambda: not Job.objects.exclude(status="dead").exists(), patience=20 + 2 * count)
    assert set(Attempt.objects.values_list("outcome", "number")) == {("timed out", 1)}
    _assert_gone(worker, ledger, runs=len(hung))
    record_property("size", f"{count} jobs of each of {len(kinds)} kinds")


def _assert_gone(worker: WorkerProcess, ledger: Ledger, *, runs: int) -> None:
    """Compare what lives with what there should be: no process of a run, of its session, of its programs."""
    began = [number for number, line in enumerate(ledger.lines) if line.startswith("START")]
    assert len(began) == runs
    pids = {pid for number in began for pid in ledger.pids(number)}
    assert all(is_gone(pid) for pid in pids)
    # Fresh runners are on their way; whatever else came of this worker is none of it any more.
    worker.until(lambda: set(worker.family) == {worker.pid, *_staff(worker)})


def _staff(worker: WorkerProcess) -> list[int]:
    """Return the nursery and its runners, or the runners where there is no nursery."""
    return [each for child in children(worker.pid) for each in (child, *children(child))]


def test_a_worker_that_had_nothing_to_do_looks_at_the_clock_as_soon(
    start_worker: Start, ledger: Ledger
) -> None:
    imports = ["tests.jobs_that_misbehave", "tests.processes.naps_for_long"]
    worker = start_worker("--processes", "1", IMPORTS=imports)
    worker.until_final(jobs.note.enqueue(str(ledger), "up"))
    jobs.sleep_long.using(timeout=SOON).enqueue(str(ledger))
    worker.until(lambda: len(ledger.lines) == 2)
    worker.until(lambda: is_gone(ledger.pids(1)[0]))


def test_a_timed_out_job_is_retried(start_worker: Start, ledger: Ledger) -> None:
    job = jobs.sleep_long.using(timeout=SOON, max_attempts=2, retry_delay=0.1).enqueue(str(ledger))
    worker = start_worker()
    (job,) = worker.until_final(job)
    assert [error.kind for error in job.errors] == ["timeout", "timeout"]
    assert len(ledger.lines) == 2


@pytest.mark.parametrize("hung", [jobs.clean_up, jobs.await_long])
def test_a_job_may_clean_up_when_its_time_is_over(start_worker: Start, ledger: Ledger, hung: Any) -> None:
    job = hung.using(timeout=SOON).enqueue(str(ledger))
    start_worker().until_final(job)
    assert ledger.lines[-1] == "CLEANED"


def test_a_job_that_takes_too_long_to_clean_up_is_killed(start_worker: Start, ledger: Ledger) -> None:
    job = jobs.clean_up.using(timeout=SOON).enqueue(str(ledger), 60)
    start_worker(KILL_AFTER=0.2).until_final(job)
    assert len(ledger.lines) == 1
    assert JobError.objects.get(job=job).message.endswith(KILLED)


def test_what_a_job_returns_after_its_timeout_is_no_result(start_worker: Start, ledger: Ledger) -> None:
    job = jobs.wave_off.using(timeout=SOON).enqueue(str(ledger))
    (job,) = start_worker().until_final(job)
    assert ledger.lines == ["HardTimeout"]
    assert (job.status, job.result_data) == ("dead", None)
    assert JobError.objects.get(job=job).message.endswith("its result was dropped")


def test_what_a_stopped_job_wrote_in_a_transaction_is_rolled_back(
    start_worker: Start, ledger: Ledger
) -> None:
    job = jobs.sleep_in_transaction.using(timeout=SOON).enqueue(str(ledger))
    # On SQLite nobody else can write while that transaction is open.
    start_worker().until_final(job)
    assert list(Job.objects.all()) == [job]


@pytest.mark.parametrize("handler", ["default", "deaf"])
def test_a_job_that_takes_the_signal_for_itself_is_stopped_as_well(
    start_worker: Start, ledger: Ledger, handler: str
) -> None:
    job = jobs.take_the_alarm.using(timeout=SOON).enqueue(str(ledger), handler)
    after = jobs.note.enqueue(str(ledger), "next")
    worker = start_worker("--processes", "1", KILL_AFTER=0.3)
    worker.until_final(job, after)
    assert Attempt.objects.get(job=job).outcome == "timed out"
    assert is_gone(ledger.pids()[0])


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        ({"timeout": SOON}, "timeout"),
        ({"soft_timeout": SOON, "soft_timeout_raises": True}, "soft timeout"),
    ],
)
def test_a_job_that_misses_one_signal_hears_the_next(
    start_worker: Start, ledger: Ledger, limits: dict[str, Any], kind: str
) -> None:
    job = jobs.miss_an_alarm.using(**limits).enqueue(str(ledger))
    start_worker(KILL_AFTER=600).until_final(job)
    assert JobError.objects.get(job=job).kind == kind


def test_an_alarm_that_a_job_has_left_meets_no_other_job(start_worker: Start, ledger: Ledger) -> None:
    written = [jobs.set_an_alarm.enqueue(str(ledger), 0.1), jobs.nap.enqueue(str(ledger), 0.3)]
    worker = start_worker("--processes", "1")
    assert {job.status for job in worker.until_final(*written)} == {"completed"}
    assert ledger.lines == ["set", "napped"]


def test_a_stopped_runner_takes_no_further_job(start_worker: Start, ledger: Ledger) -> None:
    hung = jobs.sleep_long.using(timeout=SOON, priority=1).enqueue(str(ledger))
    worker = start_worker("--processes", "1")
    after = jobs.hold.enqueue(str(ledger), str(ledger))
    worker.until_final(hung, after)
    first, second = ledger.pids(0)[0], ledger.pids(1)[0]
    assert first != second
    (nursery,) = children(worker.pid)
    assert children(nursery) == [second]


@pytest.mark.parametrize("hung", [jobs.check_for_ever, jobs.clean_up])
def test_a_soft_limit_fails_the_attempt_and_lets_it_clean_up(
    start_worker: Start, ledger: Ledger, hung: Any
) -> None:
    raises = hung is jobs.clean_up  # it never asks
    job = hung.using(soft_timeout=SOON, soft_timeout_raises=raises, max_attempts=2).enqueue(str(ledger))
    worker = start_worker("--processes", "1")
    (job,) = worker.until_final(job)
    assert (job.status, job.attempts) == ("dead", 2)
    assert {error.kind for error in job.errors} == {"soft timeout"}
    assert {error.exception_type for error in job.errors} == {"django_jobs.exceptions.SoftTimeout"}
    assert {attempt.outcome for attempt in Attempt.objects.filter(job=job)} == {"failed"}
    assert [line.split()[0] for line in ledger.lines].count("CLEANED") == 2


def test_a_coroutine_is_interrupted_at_its_soft_limit(start_worker: Start, ledger: Ledger) -> None:
    job = jobs.await_long.using(soft_timeout=SOON, soft_timeout_raises=True).enqueue(str(ledger))
    start_worker().until_final(job)
    assert JobError.objects.get(job=job).kind == "soft timeout"
    assert ledger.lines[-1] == "CLEANED"


def test_a_job_may_clean_up_when_the_worker_stops(start_worker: Start, ledger: Ledger) -> None:
    job = jobs.clean_up.using(timeout=None).enqueue(str(ledger))
    worker = start_worker("--grace", "0.1")
    worker.until(lambda: ledger.lines)
    assert worker.stop() == 0
    assert ledger.lines[-1] == "CLEANED"
    job.refresh_from_db()
    assert (job.status, job.attempts, job.interruptions) == ("ready", 0, 1)
    assert not JobError.objects.exists()


def test_a_worker_that_stops_waits_for_no_job_that_cannot_be_interrupted(
    start_worker: Start, ledger: Ledger
) -> None:
    job = jobs.hold_the_gil.using(timeout=None).enqueue(str(ledger))
    worker = start_worker("--grace", "0.1", KILL_AFTER=600)
    worker.until(lambda: ledger.lines)
    assert worker.stop() == 0
    job.refresh_from_db()
    assert (job.status, job.attempts, job.interruptions) == ("ready", 0, 1)
    assert is_gone(ledger.pids()[0])
