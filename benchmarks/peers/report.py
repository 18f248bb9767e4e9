"""The report of `make bench-peers`: medians with the value of each round as JSON, and as tables."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks.bench import ROOT
from benchmarks.figures import Figure, number
from benchmarks.peers.header import OURS, Header
from benchmarks.tables import NAMES

JSON, TABLE = ROOT / "build" / "benchmarks" / "peers.json", ROOT / "build" / "benchmarks" / "peers.md"
# What a table has a column for, and whether more is better.
MEASURES = {
    ("enqueue one by one", "/s"): True,
    ("processor time to enqueue one", "µs"): False,
    ("enqueue at once", "/s"): True,
    ("drain", "/s"): True,
    ("latency p50", "ms"): False,
    ("latency p99", "ms"): False,
}
Measure = tuple[str, str]


class Case(NamedTuple):
    """One peer on one database with one setting."""

    header: Header
    database: str
    setting: str


class Results:
    """All that was measured so far, and what failed."""

    def __init__(self) -> None:
        self._values: dict[Case, dict[Measure, list[float]]] = {}
        self._errors: dict[Case, str] = {}

    def keep(self, case: Case, figures: Iterable[Figure]) -> None:
        """Keep the figures of one round."""
        of_case = self._values.setdefault(case, {})
        for figure in figures:
            of_case.setdefault((figure.name, figure.unit), []).append(figure.value)

    def fail(self, case: Case, error: str) -> None:
        """Keep why a case has no figures in a round; of several reasons the last."""
        self._values.setdefault(case, {})
        self._errors[case] = error

    def median(self, case: Case, measure: Measure) -> float | None:
        """Return the median of the rounds; None where there is none."""
        values = self._values[case].get(measure)
        return statistics.median(values) if values else None

    def cases(self, database: str) -> list[Case]:
        """Return the cases of one database in the order in which they were measured first."""
        return [case for case in self._values if case.database == database]

    def databases(self) -> list[str]:
        """Return the databases in the order in which they were measured first."""
        return list(dict.fromkeys(case.database for case in self._values))

    def error(self, case: Case) -> str | None:
        """Return why a case failed; None where it did not."""
        return self._errors.get(case)

    def as_json(self) -> list[dict[str, object]]:
        """Return one object for each case."""
        return [self._case_as_json(case) for case in self._values]

    def _case_as_json(self, case: Case) -> dict[str, object]:
        figures = [
            {"name": name, "value": statistics.median(values), "unit": unit, "values": values}
            for (name, unit), values in self._values[case].items()
        ]
        error = {"error": self._errors[case]} if case in self._errors else {}
        return {
            "peer": case.header.peer,
            "version": case.header.version,
            "database": case.database,
            "setting": case.setting,
            "command": case.header.settings[case.setting],
            "figures": figures,
            **error,
        }


def write(results: Results, *, about: str, directory: Path = JSON.parent) -> None:
    """Write both files."""
    directory.mkdir(parents=True, exist_ok=True)
    listed = json.dumps(results.as_json(), indent=1, ensure_ascii=False)
    (directory / JSON.name).write_text(listed + "\n")
    (directory / TABLE.name).write_text("\n".join([about, "", *tables(results)]) + "\n")


def tables(results: Results) -> list[str]:
    """Return the lines of one table for each database, with ours held against the fastest peer."""
    return [line for database in results.databases() for line in _table(results, database)]


def _table(results: Results, database: str) -> list[str]:
    cases = results.cases(database)
    return [
        f"## {NAMES[database]}",
        "",
        _line("median of the rounds", "setting", *(f"{name}, {unit}" for name, unit in MEASURES)),
        "|---|---|" + "---:|" * len(MEASURES),
        *(_row(results, case) for case in cases),
        _line(
            "**ours ÷ the fastest peer**", "", *(_ratio_cell(results, cases, measure) for measure in MEASURES)
        ),
        "",
        *(f"- {case.header.peer}, {case.setting}: {case.header.settings[case.setting]}" for case in cases),
        "",
    ]


def _row(results: Results, case: Case) -> str:
    cells = [_cell(results.median(case, measure)) for measure in MEASURES]
    if error := results.error(case):
        cells[0] = f"{cells[0]} failed: {error.replace('|', '¦')}"
    return _line(f"{case.header.peer} {case.header.version}".strip(), case.setting, *cells)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: float | None) -> str:
    return "–" if value is None else number(value)


def _ratio_cell(results: Results, cases: list[Case], measure: Measure) -> str:
    found = ratio(results, cases, measure)
    return "–" if found is None else f"{found[0]:.2f} × ({found[1].header.peer}, {found[1].setting})"


def ratio(results: Results, cases: list[Case], measure: Measure) -> tuple[float, Case] | None:
    """Return our best setting's median divided by that of the fastest peer's best, and whose that is."""
    more_is_better = MEASURES[measure]
    medians = {case: results.median(case, measure) for case in cases}
    ranked = sorted(
        (case for case, value in medians.items() if value is not None),
        key=lambda case: medians[case] or 0,
        reverse=more_is_better,
    )
    ours = next((case for case in ranked if case.header.peer == OURS), None)
    theirs = next((case for case in ranked if case.header.peer != OURS), None)
    if ours is None or theirs is None or not medians[theirs]:
        return None
    return (medians[ours] or 0) / (medians[theirs] or 1), theirs
