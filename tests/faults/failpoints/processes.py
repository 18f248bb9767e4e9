"""Real processes by the dozen: forked from one that has loaded everything, so that each costs little."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.faults.failpoints.forked import be_client, be_worker
from tests.faults.failpoints.points import Stage

PATIENCE = 45.0
CONTEXT: ForkServerContext = multiprocessing.get_context("forkserver")


class Forked:
    """One process that was forked for a test."""

    def __init__(self, process: Any, log: Path) -> None:
        self.process, self._log = process, log

    @property
    def log(self) -> str:
        """What it and its children have printed."""
        return self._log.read_text() if self._log.exists() else ""

    def until(self, fact: Callable[[], Any], *, why: str = "it never became true") -> Any:
        """Wait until a fact holds; return what it says, fail with `why` where it does not."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if value := fact():
                return value
            time.sleep(0.005)
        pytest.fail(f"{why}; the process's log:\n{self.log}")

    def wait(self) -> int:
        """Wait for its end; return its exit code."""
        self.process.join(PATIENCE)
        if self.process.exitcode is None:
            pytest.fail(f"it did not end; its log:\n{self.log}")
        return int(self.process.exitcode)

    def stop(self) -> int:
        """Ask a worker to stop, once it listens; wait for the end."""
        self.until(lambda: "Ctrl-C stops it" in self.log, why="it did not start")
        self.process.terminate()
        return self.wait()

    def end(self) -> None:
        """Kill it if it is still there."""
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()


class Stable:
    """Forks processes for one test, and ends what is left of them."""

    def __init__(self, stage: Stage, environment: Mapping[str, str]) -> None:
        self.stage, self._environment, self._forked = stage, environment, list[Forked]()

    def worker(
        self,
        *options: str,
        environment: Mapping[str, str] | None = None,
        begun: bool = False,
        **settings: Any,
    ) -> Forked:
        """Start `runworker` with these options and settings; see `Scene.begun`."""
        return self._fork(be_worker, options, settings, dict(environment or {}), begun)

    def client(self, deed: Callable[..., None], *args: Any) -> Forked:
        """Have another process do something."""
        return self._fork(be_client, deed, args)

    def end(self) -> None:
        """End what is left."""
        for each in self._forked:
            each.end()

    def _fork(self, target: Callable[..., None], *args: Any) -> Forked:
        log = self.stage.folder / f"{target.__name__}{len(self._forked)}.log"
        process = CONTEXT.Process(target=target, args=(str(self.stage.folder), str(log), *args))
        with _environment(self._environment):
            process.start()
        self._forked.append(Forked(process, log))
        return self._forked[-1]


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    # The process that forks is started with the first one, and loads Django then: the database is the same
    # for all tests of a session.
    CONTEXT.set_forkserver_preload(["tests.faults.failpoints.loaded"])
    with patch.dict(os.environ, values):
        yield
