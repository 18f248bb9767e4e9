"""Every measure on every database, in turn, several times: `python -m benchmarks` (`make bench`).

Each runs in a process and an empty database of its own. All of one round follow each other before the next
round begins, so that a slow minute of the machine meets all of them; the median of the rounds is told.
Writes `build/benchmarks/ours.json` and the tables `build/benchmarks/ours.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks import about, tables
from benchmarks.bench import DATABASES
from benchmarks.figures import Figure
from benchmarks.measures import SECTIONS, Measure
from benchmarks.report import TABLE, Report
from tests import databases


def main() -> None:
    """Measure; write the report after each measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("databases", nargs="*", choices=[*DATABASES, []], default=[], metavar="database")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="measures whose name contains this")
    parser.add_argument(
        "--without", nargs="*", default=[], help="no measure whose name contains one of these"
    )
    given = parser.parse_args()
    found = databases.found(given.databases or DATABASES)
    report = Report(about.machine(), {database: _asked("about", database) for database in found})
    report.left_out += [name for name in DATABASES if name not in found]
    chosen = list(_chosen(report, given.only, given.without))
    for number in range(given.rounds):
        print(f"== round {number + 1} of {given.rounds}", flush=True)
        report.begin_round(os.getloadavg()[0])
        for section, measure in chosen:
            for database in [each for each in found if each in measure.only_on]:
                _take(report, section, database, measure)
                # Each time, so that a run that is interrupted has told what it had.
                TABLE.write_text(tables.whole(report.write()))
    if report.failed:
        raise SystemExit(f"not measured: {'; '.join(report.failed)}")


def _chosen(report: Report, only: str, without: list[str]) -> Iterator[tuple[str, Measure]]:
    for section, some in SECTIONS.items():
        for measure in some:
            if only in str(measure) and not any(word in str(measure) for word in without):
                yield section, measure
            else:
                report.left_out.append(str(measure))


def _take(report: Report, section: str, database: str, measure: Measure) -> None:
    print(f"{database}: {measure}", flush=True)
    try:
        figures = [Figure(**each) for each in _asked(measure.script, database, measure)]
    except subprocess.CalledProcessError as failed:
        # The others are worth measuring nevertheless; that this is missing is said in the report.
        print(f"  FAILED; repeat it by: {' '.join(failed.cmd)}", flush=True)
        report.failed.append(f"{measure} on {database} in round {report.rounds}")
        return
    suffix = f", {measure.setting[2]}" if measure.setting else ""
    for figure in figures:
        print(f"  {figure}", flush=True)
        report.add(section, database, figure._replace(name=figure.name + suffix))


def _asked(script: str, database: str, measure: Measure | None = None) -> Any:
    """Return the last line that a script of this package prints, which is JSON."""
    command = [
        sys.executable,
        "-m",
        f"benchmarks.{script}",
        database,
        *(measure.arguments if measure else ()),
    ]
    setting = dict([measure.setting[:2]]) if measure and measure.setting else {}
    environment = {**os.environ, "BENCH_JSON": "1", **setting}
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ended.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
