"""Other task queues beside ours, in turn, several times: `python -m benchmarks.peers` (`make bench-peers`).

Each peer is installed from PyPI into an environment of its own, runs the same no-op job on the same database
at the same durability, by its documented command and by the fastest setting that was found. A peer that fails
is told as such in the report and stops nobody. Writes `build/benchmarks/peers.json` and `peers.md`.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.about import machine
from benchmarks.peers import report
from benchmarks.peers.header import Header, all_peers
from benchmarks.peers.places import DATABASES
from benchmarks.peers.venvs import NotInstalled, python_of
from benchmarks.peers.visit import Failed, visit


def main() -> None:
    """Install, measure; write the report after each case."""
    given = _arguments()
    # As Ctrl-C does: what was started is ended, and the database is dropped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    headers = [each for each in all_peers() if any(word in each.peer for word in given.only.split(","))]
    # All before the first is measured: pip would disturb it.
    pythons = {header: _python(header) for header in headers}
    results, loads = report.Results(), []
    for number in range(given.rounds):
        for case in _cases(headers, given.database or DATABASES):
            print(f"round {number + 1}: {case.database}, {case.header.peer}, {case.setting}", flush=True)
            loads.append(os.getloadavg()[0])
            _measure(results, case, pythons[case.header], given)
            report.write(results, about=_about(given, number + 1, loads))
    print("", *report.tables(results), sep="\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", action="append", choices=DATABASES, help="both when left out")
    parser.add_argument("--only", default="", help="peers whose names contain one of these, by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=5, help="what one measure may take")
    return parser.parse_args()


def _python(header: Header) -> Path | NotInstalled:
    print(f"{header.peer} {header.version}".strip(), flush=True)
    try:
        return python_of(header)
    except NotInstalled as reason:
        return reason


def _cases(headers: list[Header], databases: Sequence[str]) -> Iterator[report.Case]:
    for database in databases:
        for header in headers:
            if database in header.databases:
                yield from (report.Case(header, database, setting) for setting in header.settings)


def _measure(
    results: report.Results, case: report.Case, python: Path | NotInstalled, given: argparse.Namespace
) -> None:
    try:
        if isinstance(python, NotInstalled):
            raise python
        figures = visit(
            case.header, python, case.database, case.setting, jobs=given.jobs, seconds=given.seconds
        )
    except (NotInstalled, Failed) as reason:
        print(f"  failed: {reason}", flush=True)
        results.fail(case, str(reason))
    else:
        print(*(f"  {figure}" for figure in figures), sep="\n", flush=True)
        results.keep(case, figures)


def _about(given: argparse.Namespace, rounds: int, loads: list[float]) -> str:
    told = ", ".join(f"{what}: {said}" for what, said in machine().items())
    return (
        f"{told}. Load of the machine: {min(loads):.1f} to {max(loads):.1f}. "
        f"Each measure up to {given.jobs:,} jobs or {given.seconds:g} s; rounds: {rounds}."
    )


if __name__ == "__main__":
    main()
