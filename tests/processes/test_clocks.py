"""Hosts whose clock is wrong, and is set again and again: no job is rescued or begun before its time."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from django_jobs import client
from django_jobs.models import Attempt, Job
from django_jobs.wire.clock import boottime
from tests import jobs_that_misbehave as jobs
from tests.host_clock import HostClock
from tests.processes.conftest import Ledger, Start, is_gone
from tests.tiers import by_tier

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.faults(from_tier=1),
    pytest.mark.timeout(by_tier(60, 180, 3600)),
]

# So long that it passes on no busy machine: what is rescued here is rescued by mistake.
LONG = 12.0
SHORT = 3.0
SETTINGS = by_tier(1, 3, 100)
HOUR, YEARS = timedelta(hours=1), timedelta(days=3653)
# Of the two readings of a clock that are compared here, one goes through a file.
BLUR = timedelta(milliseconds=20)


class Hosts:
    """Two workers, and the clock by which the database reckons.

    On SQLite they share their host, and that clock is its clock. On a server it is the server's, and
    the workers are on two hosts, one with a clock that is wrong by years and one with a clock that is set.
    """

    def __init__(self, place: Path, start_worker: Start, *, lease: float) -> None:
        self.one_host = connection.vendor == "sqlite"
        self.set, wrong = HostClock(place / "set"), HostClock(place / "wrong")
        wrong.set(-YEARS)
        self.clocks = (self.set, self.set if self.one_host else wrong)
        self.database = self.set if self.one_host else HostClock(place / "server")
        self.workers = [
            start_worker("--processes", "3", variables=clock.variables, LEASE=lease) for clock in self.clocks
        ]
        for worker in self.workers:
            worker.until(lambda worker=worker: " serves " in worker.log)

    def set_anew(self, chance: random.Random) -> None:
        """Set the clock, that of SQLite by no more than somebody may have in mind who sets it."""
        ways = [-HOUR, timedelta(0), HOUR] if self.one_host else [-YEARS, -HOUR, timedelta(0), HOUR, YEARS]
        self.set.set(chance.choice([way for way in ways if way != self.set.ahead]))

    @property
    def cpu_time(self) -> float:
        """The seconds that all processes have computed so far."""
        return sum(_cpu_time(pid) for worker in self.workers for pid in worker.family)

    def until(self, fact: Callable[[], Any]) -> Any:
        """Wait for a fact."""
        return self.workers[0].until(fact)

    def renewed(self) -> None:
        """Wait until whatever runs has been renewed; between two renewals a worker looks many times."""
        before = _leases()
        self.until(lambda: not set(before.items()) & set(_leases().items()))


class Waiting:
    """Scheduled jobs, and whether each has kept its time."""

    def __init__(self, ledger: Ledger, clock: HostClock) -> None:
        self._ledger, self._clock = ledger, clock
        self._due: dict[str, datetime] = {}
        self._begun: dict[str, datetime] = {}

    def add(self, wait: timedelta) -> None:
        """Schedule one."""
        word = f"job{len(self._due)}"
        self._due[word] = self._clock.now() + wait
        jobs.note_moment.using(run_after=self._due[word]).enqueue(str(self._ledger), word)

    def kept(self) -> bool:
        """Return whether all that is due has begun; fail if one has begun before, or twice."""
        for word, moment in [line.split() for line in self._ledger.lines[len(self._begun) :]]:
            assert word not in self._begun
            self._begun[word] = self._clock.at(float(moment))
            assert self._begun[word] >= self._due[word] - BLUR
        now = self._clock.now()
        return all(word in self._begun for word, due in self._due.items() if due <= now)


@pytest.fixture
def hosts(
    request: pytest.FixtureRequest, tmp_path: Path, start_worker: Start, monkeypatch: pytest.MonkeyPatch
) -> Hosts:
    """Return two workers with this lease; who enqueues here goes by the clock of the database."""
    made = Hosts(tmp_path, start_worker, lease=request.param)
    monkeypatch.setattr(client, "now", made.database.now)
    return made


@pytest.mark.parametrize("hosts", [LONG], indirect=True, ids=str)
def test_what_runs_is_not_taken_over_and_what_waits_keeps_its_time_however_a_clock_is_set(
    hosts: Hosts, ledger: Ledger, tmp_path: Path, seed: int, record_property: Callable[[str, object], None]
) -> None:
    record_property("size", f"a clock set {SETTINGS} times")
    chance, runs = random.Random(seed), Ledger(tmp_path / "runs")
    running = [jobs.hold_apart.enqueue(str(runs), f"{tmp_path}/go") for _ in range(4)]
    waiting = Waiting(ledger, hosts.database)
    hosts.until(lambda: len(runs.lines) == len(running))
    computed, began = hosts.cpu_time, boottime()
    for _ in range(SETTINGS):
        waiting.add(HOUR / 2)
        hosts.set_anew(chance)
        waiting.add(timedelta(seconds=chance.uniform(0.1, 1.5)))
        hosts.renewed()
        hosts.until(waiting.kept)
    share = (hosts.cpu_time - computed) / (boottime() - began)
    record_property("figure", ("CPU seconds a second of two workers whose clock is set", share))
    assert share < len(hosts.workers) / 2
    ids = [job.pk for job in running]
    assert len(runs.lines) == Job.objects.running().filter(pk__in=ids).count() == len(running)
    assert not Attempt.objects.filter(job__in=running).exists()
    _go(runs, tmp_path)
    assert all(job.attempt_set.count() == 1 for job in hosts.workers[0].until_final(*running))
    assert [worker.stop() for worker in hosts.workers] == [0, 0]


@pytest.mark.parametrize("hosts", [SHORT], indirect=True, ids=str)
def test_a_lost_workers_job_is_rescued_in_time_although_the_clock_was_set(
    hosts: Hosts, ledger: Ledger, tmp_path: Path, seed: int, record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(seed)
    job = jobs.hold_apart.enqueue(str(ledger), f"{tmp_path}/go")
    (runner,) = hosts.until(lambda: _runners(ledger))
    (doomed,) = [worker for worker in hosts.workers if runner in worker.family]
    hosts.renewed()
    doomed.send(signal.SIGKILL)
    killed = boottime()
    hosts.until(lambda: is_gone(runner))
    hosts.set_anew(chance)
    hosts.until(job.attempt_set.exists)
    took = boottime() - killed
    record_property("figure", ("from a worker's death to the rescue, beyond the lease (s)", took - SHORT))
    assert took > SHORT / 2  # it was renewed a quarter of a lease before at most
    hosts.until(lambda: len(ledger.lines) == 2)
    _go(ledger, tmp_path)
    (heir,) = [worker for worker in hosts.workers if worker is not doomed]
    (job,) = heir.until_final(job)
    assert (job.status, job.attempt_set.count()) == ("completed", 2)
    assert heir.stop() == 0


def _leases() -> dict[Any, datetime | None]:
    return dict(Job.objects.running().values_list("pk", "lease"))


def _runners(ledger: Ledger) -> list[int]:
    return [int(line.split()[-1]) for line in ledger.lines]


def _go(runs: Ledger, place: Path) -> None:
    for _, job_id, pid in [line.split() for line in runs.lines]:
        (place / f"go-{job_id}-{pid}").touch()


def _cpu_time(pid: int) -> float:
    """Return the seconds a process has computed, and those of its children that have ended."""
    try:
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    except OSError:
        return 0.0
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
