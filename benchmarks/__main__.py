"""Every measure on every database, in turn, several times: `python -m benchmarks` (`make bench`).

Each runs in a process and an empty database of its own. All of one round follow each other before the next
round begins, so that a slow minute of the machine meets all of them; the median of the rounds is kept.
Writes `build/benchmarks.json` and the table `build/benchmarks.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks import report
from benchmarks.bench import DATABASES
from benchmarks.figures import Figure
from tests.databases import Missing, find


class Measure(NamedTuple):
    """One script with its arguments.

    Attributes:
        script: a module of this package.
        arguments: besides the database.
        only_on: the databases it is about.
        setting: an environment variable, and what is said of it beside the figures' names.
    """

    script: str
    arguments: tuple[str, ...] = ()
    only_on: tuple[str, ...] = DATABASES
    setting: tuple[str, str, str] | None = None

    def __str__(self) -> str:
        return " ".join([self.script, *self.arguments, *([self.setting[2]] if self.setting else [])])


DRAIN = ("--runs", "1")
FULL = ("BENCH_SYNCHRONOUS", "FULL", "synchronous=FULL")
MEASURES = [
    Measure("limit"),
    Measure("drain", DRAIN),
    Measure("enqueue"),
    Measure("drain", (*DRAIN, "--jobs", "100000")),
    Measure("drain", (*DRAIN, "--threads", "8")),
    Measure("drain", (*DRAIN, "--threads", "50", "--coroutines")),
    Measure("drain", (*DRAIN, "--workers", "2", "--processes", "1")),
    Measure("drain", (*DRAIN, "--workers", "4", "--processes", "1")),
    Measure("drain", (*DRAIN, "--processes", "1")),
    Measure("drain", ("--runs", "3", "--beside")),
    Measure("mixed"),
    Measure("latency"),
    Measure("result"),
    Measure("memory"),
    Measure("idle", ("--seconds", "120")),
    Measure("limit", setting=FULL, only_on=("sqlite",)),
    Measure("drain", DRAIN, setting=FULL, only_on=("sqlite",)),
    Measure("enqueue", setting=FULL, only_on=("sqlite",)),
]


def main() -> None:
    """Measure; write the report after each round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("databases", nargs="*", choices=[*DATABASES, []], default=[], metavar="database")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="measures whose name contains this")
    given = parser.parse_args()
    found = list(_found(given.databases or DATABASES))
    kept: report.Kept = {}
    for number in range(given.rounds):
        print(f"== round {number + 1} of {given.rounds}", flush=True)
        for measure in MEASURES:
            if given.only in str(measure):
                for database in [each for each in found if each in measure.only_on]:
                    _keep(kept, database, measure)
        report.write(kept, rounds=number + 1)


def _found(databases: list[str] | tuple[str, ...]) -> Iterator[str]:
    for name in databases:
        try:
            find(name)
        except Missing as missing:
            print(f"{name} is left out: {missing}", flush=True)
        else:
            yield name


def _keep(kept: report.Kept, database: str, measure: Measure) -> None:
    print(f"{database}: {measure}", flush=True)
    for figure in _figures(database, measure):
        print(f"  {figure}", flush=True)
        kept.setdefault(database, {}).setdefault((figure.name, figure.unit), []).append(figure.value)


def _figures(database: str, measure: Measure) -> list[Figure]:
    command = [sys.executable, "-m", f"benchmarks.{measure.script}", database, *measure.arguments]
    setting = dict([measure.setting[:2]]) if measure.setting else {}
    environment = {**os.environ, "BENCH_JSON": "1", **setting}
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{measure} failed on {database}; repeat it by: {' '.join(command)}")
    suffix = f", {measure.setting[2]}" if measure.setting else ""
    figures = [Figure(**each) for each in json.loads(ended.stdout.splitlines()[-1])]
    return [figure._replace(name=figure.name + suffix) for figure in figures]


if __name__ == "__main__":
    main()
