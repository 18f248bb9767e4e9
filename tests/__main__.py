"""`python -m tests [pytest's arguments]`: the tests on every database there is, one after the other.

With --by-vendor, all tests on SQLite, and on the others those in which vendors differ. With --on NAME, all
tests on this database alone, those too that use none.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from typing import NamedTuple

from tests import databases

NOTHING_COLLECTED = 5
# One for each core of a small machine. More of them make the waiting tests' workers wait for each other.
PROCESSES = "2"
# Where a vendor's statements, locks, types or errors may make a difference. All the rest runs on each
# database too, in `make matrix` and in `make faults`.
ROOMS_BY_VENDOR = (
    "tests/duties",
    "tests/engines",
    "tests/management/test_changes.py",
    "tests/management/test_removing.py",
    "tests/models",
    "tests/processes/test_payloads.py",
    "tests/processes/test_pooler.py",
    "tests/processes/test_running.py",
    "tests/processes/test_shutdown.py",
    "tests/processes/test_transactions.py",
    "tests/processes/test_waking.py",
    "tests/test_client.py",
    "tests/test_conflicts.py",
    "tests/test_on_commit.py",
    "tests/test_queues.py",
)


class Run(NamedTuple):
    """The tests on one database; without rooms in all of them."""

    database: str
    rooms: tuple[str, ...] = ()
    alone: bool = False

    def __str__(self) -> str:
        if self.alone or self.database == "sqlite":
            return "all tests"
        return "the tests in which vendors differ" if self.rooms else "the tests that use the database"


def main(arguments: list[str]) -> int:
    """Run, tell, and return 0 when nothing failed and (with CI=true) nothing was left out."""
    parser = argparse.ArgumentParser(prog="python -m tests", allow_abbrev=False, add_help=False)
    parser.add_argument("--by-vendor", action="store_true")
    parser.add_argument("--on", choices=databases.NAMES)
    options, chosen = parser.parse_known_args(arguments)
    if options.on:
        runs = [_there(Run(options.on, alone=True))]
    else:
        rooms = ROOMS_BY_VENDOR if options.by_vendor else ()
        runs = [Run(name, () if name == "sqlite" else rooms) for name in databases.NAMES]
    report = [(run.database, *_take(run, chosen)) for run in runs]
    print("\n" + "\n".join(f"{name:<12}{text}" for name, text, _ in report), flush=True)
    return 0 if all(good for _, _, good in report) else 1


def _there(run: Run) -> Run:
    """Return a run on this database or, where it may be missing and is, on SQLite."""
    try:
        databases.find(run.database)
    except databases.Missing as missing:
        if os.environ.get("CI") != "true":
            print(f"== {run.database} is not there, so SQLite is taken: {missing}", flush=True)
            return run._replace(database="sqlite")
    return run


def _take(run: Run, arguments: list[str]) -> tuple[str, bool]:
    try:
        databases.find(run.database)
    except databases.Missing as missing:
        return f"left out: {missing}", os.environ.get("CI") != "true"
    print(f"== {run.database}: {run}", flush=True)
    began = time.monotonic()
    code = _pytest(run, arguments)
    seconds = f"{time.monotonic() - began:.0f} s"
    if code == NOTHING_COLLECTED and run.database != "sqlite":
        return "none of the chosen tests uses the database", True
    return f"{run}: {'passed' if code == 0 else f'FAILED (exit code {code})'} in {seconds}", code == 0


def _pytest(run: Run, arguments: list[str]) -> int:
    # Who is done first takes tests from the other: some take a thousand times as long as others.
    command = [sys.executable, "-m", "pytest", "-n", PROCESSES, "--dist", "worksteal", *arguments, *run.rooms]
    environment = {
        **os.environ,
        "TEST_DATABASE": run.database,
        "TEST_DATABASE_ALONE": "1" if run.alone else "",
        # Without the bytecode of the run before, rewriting the asserts alone takes seconds.
        "PYTHONDONTWRITEBYTECODE": "",
    }
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
