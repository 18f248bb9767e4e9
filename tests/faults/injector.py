"""Kills runners and whole workers by chance; each kill is in the ledger before it happens and after.

It knows no database. Who dies of what:

- a runner alone;
- a worker's parent: its nursery sees that, ends the runners and itself;
- parent and nursery at once: the runners die with the nursery;
- a nursery alone: its worker ends the runners and goes on with others.

A worker that was killed is started anew at once.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.ledger import Ledger
from tests.processes.conftest import WorkerProcess, children, is_gone

# How often each is chosen; the first two come first, so that a short storm has both.
WAYS = {"runner": 12, "worker": 4, "worker and nursery": 3, "nursery": 1}


class Injector:
    """Strikes the workers it has started.

    Args:
        start: starts a worker.
        count: how many workers there are at any time.
        chance: decides who is struck, and how.
        ways: how often each way is chosen.
        spared: so many of the workers lose runners only.
    """

    def __init__(
        self,
        start: Callable[[], WorkerProcess],
        *,
        count: int,
        ledger: Ledger,
        chance: random.Random,
        ways: Mapping[str, int] = WAYS,
        spared: int = 0,
    ) -> None:
        self._start, self._ledger, self._chance = start, ledger, chance
        self._ways, self._first, self._spared = ways, list(ways)[:2], spared
        self.workers = [start() for _ in range(count)]
        for worker in self.workers:
            worker.until(lambda worker=worker: " serves " in worker.log)

    def strike(self) -> None:
        """Kill somebody, and wait until all who die of it are gone."""
        way = self._first.pop(0) if self._first else self._chosen()
        worker = self._chance.choice(self.workers[0 if way == "runner" else self._spared :])
        {
            "runner": self._strike_runner,
            "worker": self._strike_worker,
            "worker and nursery": self._strike_worker,
            "nursery": self._strike_nursery,
        }[way](worker, *(nurseries(worker) if way == "worker and nursery" else ()))

    def stop(self) -> list[int]:
        """Stop the workers there are; return their exit codes."""
        return [worker.stop() for worker in self.workers]

    def _chosen(self) -> str:
        return self._chance.choices(list(self._ways), list(self._ways.values()))[0]

    def _strike_runner(self, worker: WorkerProcess) -> None:
        runner = self._chance.choice(worker.until(lambda: runners(worker)))
        with self._recorded("runner", [runner]):
            kill(runner)
            worker.until(lambda: is_gone(runner))

    def _strike_worker(self, worker: WorkerProcess, *also: int) -> None:
        with self._recorded("worker", [worker.pid, *worker.family]):
            kill(worker.pid, *also)
            worker.wait()
            worker.until(lambda: all(map(is_gone, worker.family)))
            self.workers[self.workers.index(worker)] = self._start()

    def _strike_nursery(self, worker: WorkerProcess) -> None:
        if not (struck := nurseries(worker)):  # it has lost its nursery before
            self._strike_worker(worker)
            return
        dying = [*struck, *runners(worker)]
        with self._recorded("nursery", dying):
            kill(*struck)
            worker.until(lambda: all(map(is_gone, dying)))

    @contextmanager
    def _recorded(self, what: str, pids: list[int]) -> Iterator[None]:
        note = f"{what} {','.join(map(str, pids))}"
        self._ledger.write("KILL", note=note)
        yield
        self._ledger.write("KILLED", note=note)


def nurseries(worker: WorkerProcess) -> list[int]:
    """Return the pid of a worker's nursery, if it has one: it is forked, and so called as its parent is."""
    return [pid for pid in children(worker.pid) if _command(pid) == _command(worker.pid)]


def runners(worker: WorkerProcess) -> list[int]:
    """Return the pids of a worker's runners, whoever has made them."""
    makers = nurseries(worker) or [worker.pid]
    return [runner for maker in makers for runner in children(maker)]


def kill(*pids: int) -> None:
    """Send SIGKILL to those who are there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
