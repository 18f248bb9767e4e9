"""What `make bench` has measured so far, round by round, as the JSON that tables and charts are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from benchmarks import measures
from benchmarks.bench import ROOT
from benchmarks.figures import Figure

JSON, TABLE = ROOT / "build" / "benchmarks" / "ours.json", ROOT / "build" / "benchmarks" / "ours.md"
# Of one figure: by database the value of each round, None where it could not be measured.
Values = dict[str, list[float | None]]


class Report:
    """Figures by section, name and unit.

    Attributes:
        failed: what could not be measured.
        left_out: what was not asked for, or is not here.
    """

    def __init__(self, about: dict[str, str], databases: dict[str, dict[str, str]]) -> None:
        self._about, self._databases = about, databases
        self._figures: dict[str, dict[tuple[str, str], Values]] = {}
        self._loads: list[float] = []
        self.failed: list[str] = []
        self.left_out: list[str] = []

    @property
    def rounds(self) -> int:
        """How many rounds have begun."""
        return len(self._loads)

    def begin_round(self, load: float) -> None:
        """Begin a round, at such a load of the machine."""
        self._loads.append(round(load, 1))

    def add(self, section: str, database: str, figure: Figure) -> None:
        """Take a figure of this round."""
        values = self._figures.setdefault(section, {}).setdefault((figure.name, figure.unit), {})
        of_database = values.setdefault(database, [])
        of_database += [None] * (self.rounds - len(of_database))
        of_database[-1] = figure.value

    def write(self) -> dict[str, Any]:
        """Write what there is as JSON, and return it."""
        everything = {name: each for some in self._figures.values() for (name, _), each in some.items()}
        told = {
            "about": {
                **self._about,
                "rounds": self.rounds,
                "load at the beginning of each": self._loads,
            },
            "databases": self._databases,
            "left out": self.left_out,
            "failed": self.failed,
            "sections": [
                {"title": title, "figures": list(_with_shares(figures, everything))}
                for title, figures in self._figures.items()
            ],
        }
        JSON.parent.mkdir(parents=True, exist_ok=True)
        JSON.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        return told


def _with_shares(
    figures: dict[tuple[str, str], Values], everything: dict[str, Values]
) -> Iterator[dict[str, Any]]:
    """Yield each figure as it is stored, and behind it what share of others it is."""
    for (name, unit), values in figures.items():
        yield {"name": name, "unit": unit, "values": values}
        for share in measures.shares():
            if share.part == name and (whole := everything.get(share.whole)):
                yield {"name": share.name, "unit": "%", "values": _shares(values, whole)}


def _shares(part: Values, whole: Values) -> Values:
    """Return the share in each round: a slow minute meets both, so it is steadier than either."""
    return {
        database: [
            each / all_of_it * 100 if each and all_of_it else None
            for each, all_of_it in zip_longest(values, whole[database])
        ]
        for database, values in part.items()
        if database in whole
    }
