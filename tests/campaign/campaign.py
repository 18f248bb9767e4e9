"""Row after row, each recorded when it ends; what has passed with this very code is not run again."""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from tests.campaign import circumstances
from tests.campaign.records import Record, Records
from tests.campaign.rows import Row
from tests.campaign.running import Ending, Run

Begin = Callable[[Row, int, Path], Run]


class Interrupted(Exception):
    """Somebody has ended the campaign; what had run is kept."""


class Campaign:
    """Runs rows.

    Args:
        records: where their outcomes go.
        report: called after each row.
        place: a directory for what rows print and leave.
        seed: for all rows; None for one of its own for each. With a seed nothing is skipped: it is a replay.
        jobs: how many rows run at once.
        begin: what starts a row.
    """

    def __init__(
        self,
        records: Records,
        *,
        report: Callable[[], None],
        place: Path,
        seed: int | None = None,
        jobs: int = 1,
        begin: Begin = Run,
    ) -> None:
        self._records, self._report, self._place = records, report, place
        self._seed, self._jobs, self._begin = seed, jobs, begin
        self._running: list[Run] = []
        self._lock, self._enough = Lock(), False

    def run(self, rows: Sequence[Row]) -> int:
        """Run those that have not passed yet; return how many failed.

        Raises:
            Interrupted: by SIGINT or SIGTERM.
        """
        wanted = [row for row in rows if self._seed is not None or not self._has_passed(row)]
        passed = len(rows) - len(wanted)
        _say(f"rows to run: {len(wanted)}; passed with this code: {passed} (FRESH=1 runs them again)")
        with ThreadPoolExecutor(self._jobs) as threads:
            futures = [threads.submit(self._one, row) for row in wanted]
            try:
                return sum(future.result() for future in futures)
            except KeyboardInterrupt:
                self._end()
                raise Interrupted from None

    def _end(self) -> None:
        with self._lock:
            self._enough = True
            running = list(self._running)
        _say("interrupted: waiting for what runs to clean up after itself")
        for run in running:
            run.end()

    def _has_passed(self, row: Row) -> bool:
        newest = self._records.newest(row.key)
        return newest is not None and (newest.outcome, newest.digest, newest.versions) == (
            "passed",
            circumstances.digest(row.file),
            row.versions,
        )

    def _one(self, row: Row) -> bool:
        seed = random.SystemRandom().randrange(2**32) if self._seed is None else self._seed
        with self._lock:
            if self._enough:
                return False
            _say(f"{row.database}: {row.test} TEST_SEED={seed}")
            digest = circumstances.digest(row.file)  # of the code it begins with
            run = self._begin(row, seed, self._place / re.sub(r"\W+", "-", f"{row.database}-{row.test}"))
            self._running.append(run)
        ending = run.wait()
        with self._lock:
            self._running.remove(run)
            if self._enough:  # it did not come to its own end
                return False
            self._record(row, seed, digest, ending)
            _say(f"{row.database}: {row.test} {ending.outcome} in {ending.seconds:.0f} s")
            if ending.outcome == "failed":
                _say(f"    what it printed: {run.log}\n    again: {again(row, seed)}")
        return ending.outcome == "failed"

    def _record(self, row: Row, seed: int, digest: str, ending: Ending) -> None:
        under = {name: getattr(circumstances, name)() for name in ("commit", "machine")}
        self._records.add(
            Record(
                test=row.test,
                database=row.database,
                digest=digest,
                outcome=ending.outcome,
                seed=seed,
                seconds=ending.seconds,
                day=circumstances.today(),
                versions=row.versions,
                **under,
                **ending.told,
            )
        )
        self._report()


def again(row: Row, seed: int) -> str:
    """Return the command that runs a row again, with the same seed."""
    return shlex.join(["make", "faults", f"DATABASE={row.database}", f"ROWS={row.test}", f"TEST_SEED={seed}"])


def _say(text: str) -> None:
    print(text, flush=True)
