"""One row in a pytest of its own."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from tests.campaign.rows import PYTEST, ROOT, Row, environment
from tests.marks import sweep
from tests.small_disk import unmount_below

# For what says nothing of its own: what takes two minutes at most elsewhere may take hours here.
TIMEOUT = 6 * 3600
# For servers to be stopped and databases to be removed.
LAST_PATIENCE = 120


class Ending(NamedTuple):
    """What a row came to: an outcome, after how many seconds, and what the plugin has told of it."""

    outcome: str
    seconds: float
    told: dict[str, Any]


class Run:
    """A row that runs.

    Args:
        seed: of all that is random in it.
        place: a directory for what it prints, and for the files of its tests. It stays where the row fails.
    """

    def __init__(self, row: Row, seed: int, place: Path) -> None:
        self._place, self._began = place, time.monotonic()
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        self._told = place / "told.json"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*PYTEST, *_options(place, seed), row.test],
                cwd=ROOT,
                env={**environment(row.database, self._told), "TEST_SEED": str(seed), "TEST_ROW": str(place)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Whoever interrupts the campaign interrupts its rows by `end`, each once.
                start_new_session=True,
            )

    @property
    def log(self) -> Path:
        """What pytest prints."""
        return self._place / "log"

    def wait(self) -> Ending:
        """Wait for the end; leave no files where all went well."""
        code = self._process.wait()
        self._sweep()
        told = json.loads(self._told.read_text()) if self._told.exists() else {}
        ending = Ending(_outcome(code, told), round(time.monotonic() - self._began, 1), told)
        if ending.outcome != "failed":
            shutil.rmtree(self._place, ignore_errors=True)
        return ending

    def end(self) -> None:
        """Interrupt it, so that it takes its servers and workers with it; kill it if it does not end."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(LAST_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._sweep()

    def _sweep(self) -> None:
        # Nothing is there but where pytest itself was killed: its workers have sessions of their own.
        sweep(f"TEST_ROW={self._place}")
        unmount_below(self._place.resolve())


def _options(place: Path, seed: int) -> tuple[str, ...]:
    return f"--basetemp={place / 'files'}", f"--hypothesis-seed={seed}", f"--timeout={TIMEOUT}"


def _outcome(code: int, told: dict[str, Any]) -> str:
    if code or "failed" in told.get("cases", {"failed": 1}):
        return "failed"
    return "passed" if "passed" in told["cases"] else "skipped"
