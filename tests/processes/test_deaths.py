"""Runners that die oddly: the attempt says how, nothing of them is left, the next job has a fresh one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from django_jobs.models import Attempt, Job, JobError
from tests import jobs_that_misbehave as jobs
from tests.processes.conftest import Ledger, Start, WorkerProcess, children, is_gone, session_of
from tests.tiers import by_tier

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.faults,
    pytest.mark.timeout(by_tier(120, 120, 900)),
]

TIMES = by_tier(5, 5, 100)
# What half of the dead runners are replaced within (seconds); asserted in the highest tier.
REPLACED = by_tier(60.0, 60.0, 0.5)
SAID = {
    "abort": "its runner was killed by SIGABRT",
    "exit 0": "its runner exited with code 0",
    "exit 3": "its runner exited with code 3",
    "kill": "its runner was killed by SIGKILL",
    "memory": "its runner was killed by SIGSEGV",
    "wrong address": "its runner was killed by SIGSEGV",
}


def _zombies(pid: int) -> list[int]:
    """Return the dead that a process and its living descendants have not buried."""
    found: list[int] = []
    for child in children(pid):
        found += [child] if is_gone(child) and Path(f"/proc/{child}").exists() else _zombies(child)
    return found


def _run(worker: WorkerProcess, job: Job, ledger: Ledger) -> tuple[int, Job]:
    """Wait until a job and one behind it are final; return the latter, and the pid of its runner."""
    after = jobs.note_pid.enqueue(str(ledger))
    worker.until_final(job, after)
    assert after.result(timeout=0)
    return int(ledger.lines[-1]), after


def _die(worker: WorkerProcess, how: str, ledger: Ledger) -> float:
    """Have a runner die so; look at what is told and what is left of it; return when the next one worked."""
    job = jobs.die.using(max_memory="512M" if how == "memory" else None).enqueue(str(ledger), how)
    new, after = _run(worker, job, ledger)
    dead, program = ledger.pids(-2)
    assert new != dead
    assert is_gone(dead)
    assert is_gone(program)
    assert session_of(dead) == []
    assert _zombies(worker.pid) == []
    assert JobError.objects.get(job=job).message == SAID[how]
    attempt = Attempt.objects.get(job=job)
    assert attempt.outcome == "crashed"
    return (Attempt.objects.get(job=after).started_at - attempt.finished_at).total_seconds()


@pytest.mark.parametrize("how", sorted(SAID))
def test_a_dead_runner_is_told_of_and_replaced_and_leaves_nothing(
    start_worker: Start, ledger: Ledger, record_property: Callable[[str, object], None], how: str
) -> None:
    worker = start_worker("--processes", "1")
    replaced = [_die(worker, how, ledger) for _ in range(TIMES)]
    for seconds in replaced:
        record_property("figure", ("at work again after a runner's death (s)", seconds))
    record_property("size", f"{TIMES} deaths by {how}")
    assert median(replaced) < REPLACED
    assert worker.stop() == 0


def test_so_it_is_with_runners_that_are_execd(start_worker: Start, ledger: Ledger) -> None:
    worker = start_worker("--processes", "1", "--start-method", "exec")
    for how in sorted(SAID):
        _die(worker, how, ledger)
    assert worker.stop() == 0


def test_a_run_that_gets_no_memory_fails_and_its_runner_goes_on(start_worker: Start, ledger: Ledger) -> None:
    worker = start_worker("--processes", "1")
    runners = set()
    for _ in range(TIMES):
        job = jobs.eat.using(max_memory="64M").enqueue(2**28)
        runners.add(_run(worker, job, ledger)[0])
        assert "max_memory of 64M" in JobError.objects.get(job=job).message
        assert Attempt.objects.get(job=job).outcome == "failed"
    assert len(runners) == 1
    assert worker.stop() == 0
