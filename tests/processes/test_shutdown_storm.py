"""Every way of telling a worker to stop, in everything it can be busy with: exit code 0, and nothing is lost.

What the jobs do is written down outside the database, and what is in the database afterwards has to agree.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest
from django.db import connection, connections, transaction

from django_jobs.models import Attempt, Job
from django_jobs.states import FINAL
from tests import databases
from tests import jobs_that_misbehave as jobs
from tests.conftest import TEST_DATABASE
from tests.processes.conftest import SOON, Ledger, Start, WorkerProcess, children
from tests.tiers import by_tier

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

GRACE, LONG = 15, 60
LEFT_BEHIND = "the time for the last writes is over"


@dataclass
class Scene:
    """One worker and its jobs, on the way to the moment in which it is told to stop."""

    start_worker: Start
    ledger: Ledger
    chance: random.Random
    expected: dict[str, str] = field(default_factory=dict)  # job → final state, of those that do not complete
    enqueued: list[Job] = field(default_factory=list)
    worker: WorkerProcess = field(init=False)

    def start(self, *options: str, grace: float = GRACE, **settings: object) -> None:
        """Start the worker, with one runner unless the options say otherwise."""
        self.worker = self.start_worker("--processes", "1", "--grace", str(grace), *options, **settings)

    def work(self, seconds: float = 0.0, *, times: int = 1) -> None:
        """Enqueue jobs that say START, work so long and say END."""
        self.enqueued += jobs.work.enqueue_many([(str(self.ledger), seconds) for _ in range(times)])

    def until_serving(self) -> None:
        """Wait until the worker listens to signals."""
        self.worker.until(lambda: " serves " in self.worker.log)

    def until_lines(self, count: int) -> None:
        """Wait until the jobs have written so much."""
        self.worker.until(lambda: len(self.ledger.lines) >= count)


def idle(scene: Scene) -> None:
    scene.start()
    scene.work()
    scene.worker.until_final(*scene.enqueued)


def about_to_claim(scene: Scene) -> None:
    scene.work(times=20)
    scene.start()
    scene.until_serving()


def jobs_in_the_socket(scene: Scene) -> None:
    # Claimed ahead behind what seems to be short: they are out, and no runner has read them.
    scene.work(0.5)
    scene.work(times=5)
    scene.start(claim_size=6)
    scene.until_lines(1)


def running_short_jobs(scene: Scene) -> None:
    scene.work(0.002, times=300)
    scene.start("--processes", "2")
    scene.until_lines(scene.chance.randint(2, 200))


def running_a_long_job(scene: Scene) -> None:
    scene.work(0.5)
    scene.start()
    scene.until_lines(1)


def running_longer_than_the_grace_period(scene: Scene) -> None:
    scene.work(LONG)
    scene.start(grace=0.1)
    scene.until_lines(1)


def cleaning_up_after_a_timeout(scene: Scene) -> None:
    job = jobs.clean_slowly.using(timeout=SOON).enqueue(str(scene.ledger), 0.5)
    scene.enqueued.append(job)
    scene.expected[str(job.id)] = "dead"
    scene.start(KILL_AFTER=5)
    scene.worker.until(lambda: "CLEANING" in str(scene.ledger.lines))


def retries_wait(scene: Scene) -> None:
    scene.enqueued += [jobs.fail_with_long_delay.enqueue() for _ in range(3)]
    scene.work(0.01, times=20)
    scene.start()
    scene.worker.until(lambda: Job.objects.scheduled().exists())


def at_the_end_of_a_burst(scene: Scene) -> None:
    scene.work(0.01, times=20)
    scene.start("--burst")
    scene.until_lines(scene.chance.randint(36, 40))


def after_the_death_of_a_runner(scene: Scene) -> None:
    scene.work(0.005, times=100)
    scene.start()
    scene.until_lines(20)
    for nursery in children(scene.worker.pid):
        for runner in children(nursery):
            with suppress(ProcessLookupError):
                os.kill(runner, signal.SIGKILL)


def with_a_slow_database(scene: Scene) -> None:
    scene.work(0.01, times=50)
    scene.start()
    scene.until_lines(10)


PHASES = (
    about_to_claim,
    idle,
    jobs_in_the_socket,
    running_short_jobs,
    running_a_long_job,
    running_longer_than_the_grace_period,
    cleaning_up_after_a_timeout,
    retries_wait,
    at_the_end_of_a_burst,
    after_the_death_of_a_runner,
    with_a_slow_database,
)


def term(worker: WorkerProcess) -> None:
    worker.send(signal.SIGTERM)


def interrupt(worker: WorkerProcess) -> None:
    worker.send(signal.SIGINT)


def term_twice(worker: WorkerProcess) -> None:
    _send(worker, times=2, pause=0.05)


def term_five_times(worker: WorkerProcess) -> None:
    _send(worker, times=5, pause=0.02)


def term_to_all_its_processes(worker: WorkerProcess) -> None:
    # As systemd does: not to the parent alone.
    for pid in worker.family:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


WAYS = (term, interrupt, term_twice, term_five_times, term_to_all_its_processes)
HASTY = (term_twice, term_five_times)


def _send(worker: WorkerProcess, *, times: int, pause: float) -> None:
    for _ in range(times):
        worker.send(signal.SIGTERM)
        time.sleep(pause)


def _runs() -> list[tuple[Callable[[Scene], None], Callable[[WorkerProcess], None], int]]:
    # One way for each phase, another one on another database; or all of them, again and again.
    ahead = databases.NAMES.index(TEST_DATABASE)
    ways, times = by_tier((1, 1), (len(WAYS), 1), (len(WAYS), 10))
    return [
        (phase, WAYS[(number + ahead + turn) % len(WAYS)], again)
        for number, phase in enumerate(PHASES)
        for turn in range(ways)
        for again in range(times)
    ]


@pytest.mark.parametrize(
    ("phase", "way", "number"), _runs(), ids=lambda value: getattr(value, "__name__", value)
)
def test_a_worker_told_to_stop_leaves_nothing_running_and_loses_nothing(
    start_worker: Start,
    ledger: Ledger,
    record_property: Callable[[str, object], None],
    phase: Callable[[Scene], None],
    way: Callable[[WorkerProcess], None],
    number: int,
    seed: int,
) -> None:
    scene = Scene(start_worker, ledger, random.Random(seed + number))
    phase(scene)
    with _held_up(phase is with_a_slow_database):
        told = time.monotonic()
        way(scene.worker)
        time.sleep(0.3 if phase is with_a_slow_database else 0)
    assert scene.worker.wait() == 0
    record_property("figure", (f"stopped while {phase.__name__} (s)", time.monotonic() - told))
    scene.worker.until(lambda: not scene.worker.family)
    assert "Traceback" not in scene.worker.log
    if LEFT_BEHIND in scene.worker.log:
        # Who asks twice does not wait for a database that is slow: then the lease decides.
        assert way in HASTY
    else:
        assert not Job.objects.running().exists()
    _assert_explained(scene)
    _assert_nothing_lost(scene)


@contextmanager
def _held_up(slow: bool) -> Iterator[None]:
    """Hold the lock that every write needs: SQLite's one, or those of all rows."""
    if not slow:
        yield
        return
    try:
        with transaction.atomic():
            if connection.vendor != "sqlite":  # whose transactions begin with the lock
                list(Job.objects.select_for_update().values_list("pk"))
            yield
    finally:
        connections.close_all()


def _assert_explained(scene: Scene) -> None:
    """Compare what the jobs wrote with what the database says of their attempts."""
    started, ended = (_count(scene.ledger, word) for word in ("START", "END"))
    attempts = Counter(str(pk) for pk in Attempt.objects.values_list("job_id", flat=True))
    completed = Attempt.objects.filter(outcome="completed")
    assert started <= attempts + Counter(str(job.pk) for job in Job.objects.running())
    assert Counter(str(pk) for pk in completed.values_list("job_id", flat=True)) <= ended
    assert completed.values("job_id").distinct().count() == completed.count()


def _count(ledger: Ledger, word: str) -> Counter[str]:
    return Counter(line.split()[1] for line in ledger.lines if line.split()[0] == word)


def _assert_nothing_lost(scene: Scene) -> None:
    stored = {str(job.pk): job for job in Job.objects.all()}
    for job in scene.enqueued:
        found = stored[str(job.pk)]
        if found.status in FINAL:
            assert found.status == scene.expected.get(str(job.pk), "completed")
        assert found.status == "running" or (found.claim_token, found.lease) == (None, None)
