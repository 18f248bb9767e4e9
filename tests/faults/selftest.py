"""`python -m tests.faults.selftest [--database NAME] [BUG …]`: is each planted bug found by its test?

One at a time a bug is planted in all processes of its test. It is found when that test fails, and for the
reason that is written down: neither an error before the test nor a failure of another kind counts. That the
tests pass without the bugs is what `make test` says.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import django

from tests import databases
from tests.marks import sweep

# How long the tests wait for a fact here, and how long one may take in all (seconds): on a busy machine a
# minute is over before it begins, with a database of its own.
PATIENCE, LONGEST = 15, 240
FOUND = "found"
_OTHERWISE = ("error", "skipped")
_ANOTHER_RUN = ("PYTEST_", "TEST_DATABASE_DIRECTORY", "TEST_DATABASE_RUN", "TEST_DATABASE_NAME")


class Verdict(NamedTuple):
    """What became of a bug: FOUND, or why it was not."""

    said: str
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether it was found, or could not be looked for here."""
        return self.said == FOUND or (self.said.startswith("left out") and os.environ.get("CI") != "true")


def main(arguments: list[str]) -> int:
    """Plant, test, tell; return 0 when every bug was found."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.faults.bugs import BUGS

    given = _parser().parse_args(arguments)
    if unknown := set(given.bugs) - BUGS.keys():
        print(f"no such bug: {', '.join(sorted(unknown))}; there are {', '.join(sorted(BUGS))}")
        return 2
    began, verdicts = time.monotonic(), []
    for name in given.bugs or sorted(BUGS):
        bug = BUGS[name]
        verdict = look(name, bug.test, bug.said, bug.database or given.database)
        verdicts.append(verdict)
        print(f"{name:<48}{verdict.said:<12}{verdict.seconds:>4.0f} s", flush=True)
        print(f"    in {bug.plant.where}\n    by {bug.test}", flush=True)
    found = sum(verdict.said == FOUND for verdict in verdicts)
    print(f"\n{found} of {len(verdicts)} planted bugs found in {time.monotonic() - began:.0f} s")
    return 0 if all(verdict.good for verdict in verdicts) else 1


def look(name: str, test: str, said: str, database: str) -> Verdict:
    """Run a test with a bug planted; return whether that is found."""
    try:
        databases.find(database)
    except databases.Missing:
        return Verdict(f"left out: no {database}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="selftest_") as place:
        report = Path(place) / "report.xml"
        mark = f"TEST_SELFTEST={place}"
        _run(test, report, {"TEST_BUG": name, "TEST_DATABASE": database, "TEST_SELFTEST": place})
        sweep(mark)
        verdict = judge(report.read_text() if report.exists() else "", said)
    return Verdict(verdict, time.monotonic() - began)


def judge(report: str, said: str) -> str:
    """Return FOUND where a JUnit report tells of one test that failed for this reason; else what happened."""
    if not report:
        return "NOT FOUND: the test did not come to an end"
    cases = list(ElementTree.fromstring(report).iter("testcase"))
    if (
        len({case.get("name") for case in cases}) != 1
    ):  # one that fails in its tear-down as well is there twice
        return f"NOT FOUND: not one test ran, but {len(cases)}"
    for failure in (case.find("failure") for case in cases):
        if failure is not None:
            message = failure.get("message", "") + (failure.text or "")
            return FOUND if said in message else f"NOT FOUND: it failed for another reason: {message[:500]}"
    for each in (each for each in cases[0] if each.tag in _OTHERWISE):
        return f"NOT FOUND: {each.tag}: {each.get('message', '')[:500]}"
    return "NOT FOUND: the test passed"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests.faults.selftest", description=__doc__)
    parser.add_argument("bugs", nargs="*", help="the names of some; all without")
    parser.add_argument("--database", choices=databases.NAMES, default="sqlite")
    return parser


def _run(test: str, report: Path, environment: Mapping[str, str]) -> None:
    # The newer family of reports has no room for what tests record, and pytest warns of it.
    report_to = ["-o", "junit_family=xunit1", f"--junitxml={report}"]
    options = ["-n", "0", "-q", "-p", "no:cacheprovider", *report_to]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, test],
        env={**_surroundings(), "TEST_TIER": "0", "TEST_PATIENCE": str(PATIENCE), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        process.wait(LONGEST)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _surroundings() -> dict[str, str]:
    """Return this process's environment without what names another run's databases."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_ANOTHER_RUN)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
