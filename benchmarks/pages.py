"""What `docs/benchmarks.md` includes, made of the figures stored beside it: `python -m benchmarks.pages`.

With `--keep ours` or `--keep peers` (`KEEP=1 make bench`, `KEEP=1 make bench-peers`) the figures of the last
run are stored there first; with `--keep elsewhere` as those of another machine, beside those of this one.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks import measures, tables
from benchmarks.bench import ROOT
from benchmarks.charts import Bar, chart
from benchmarks.peers import header as peers

BUILT, STORED = ROOT / "build" / "benchmarks", ROOT / "docs" / "benchmarks"
# Under which name each file of a run is stored.
RUNS = {
    "ours": {"ours.json": "ours.json"},
    "elsewhere": {"ours.json": "elsewhere.json"},
    "peers": {"peers.json": "peers.json", "peers.md": "peers.md"},
}
NOT_MEASURED = "Not measured yet.\n"
# The charts of our own run: their file, title, unit and figures.
OURS = [
    (
        "draining",
        "Draining no-op jobs",
        "jobs/s",
        [
            measures.LIMIT,
            measures.DRAIN,
            measures.THREADS,
            measures.COROUTINES,
            measures.LIMIT_OF_MANY,
            measures.DRAIN_OF_MANY,
            measures.ONE_WORKER,
            measures.TWO_WORKERS,
            measures.FOUR_WORKERS,
        ],
    ),
    ("enqueueing", "Enqueueing", "jobs/s", [measures.ONE_BY_ONE, measures.AT_ONCE]),
    (
        "waiting",
        "Waiting",
        "ms",
        [measures.START_P50, measures.START_P99, measures.RESULT_P50, measures.RESULT_P99],
    ),
]
# The charts of the run beside others: figure, title, unit, and whether more is better.
PEERS = {
    "drain": ("Drain of no-op jobs", "jobs/s", True),
    "enqueue one by one": ("Enqueue one by one", "jobs/s", True),
    "latency p50": ("From enqueue to start, median", "ms", False),
}


def main() -> None:
    """Store what is to be kept; write all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", choices=RUNS)
    if kept := parser.parse_args().keep:
        for built, name in RUNS[kept].items():
            shutil.copy(BUILT / built, STORED / name)
    for old in STORED.glob("*.svg"):
        old.unlink()
    for name, text in parts(STORED).items():
        (STORED / name).write_text(text)


def parts(stored: Path = STORED) -> dict[str, str]:
    """Return the text of each part by the name of its file."""
    ours, elsewhere, others = (_told(stored / f"{name}.json") for name in ("ours", "elsewhere", "peers"))
    return dict([*_ours(ours), *_elsewhere(elsewhere), *_peers(others, _read(stored / "peers.md"))])


def _told(path: Path) -> Any:
    return json.loads(_read(path) or "null")


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _ours(told: Any) -> Iterator[tuple[str, str]]:
    yield "goals.md", tables.goals(told)
    charts = list(_our_charts(told)) if told else []
    yield from charts
    yield "circumstances.md", tables.circumstances(told) if told else NOT_MEASURED
    yield "ours.md", f"{_shown(charts)}{tables.sections(told)}" if told else NOT_MEASURED


def _elsewhere(told: Any) -> Iterator[tuple[str, str]]:
    # Its goals only: all else is told of one machine.
    yield "elsewhere.md", f"{tables.circumstances(told)}\n{tables.goals(told)}" if told else NOT_MEASURED


def _our_charts(told: Any) -> Iterator[tuple[str, str]]:
    for (file, title, unit, names), database in product(OURS, told["databases"]):
        found = [(name, tables.known(told, name, database)) for name in names]
        bars = [_our_bar(name, values) for name, values in found if values]
        if bars:
            yield f"{file}-{database}.svg", chart(f"{title}, {tables.NAMES[database]}", unit, bars)


def _our_bar(name: str, values: list[float]) -> Bar:
    kind = "limit" if name.startswith("the limit") else "ours"
    return Bar(name, statistics.median(values), kind, min(values), max(values))


def _peers(cases: Any, told: str) -> Iterator[tuple[str, str]]:
    charts = list(_peer_charts(cases or []))
    yield from charts
    # A heading of theirs belongs below the page's own.
    yield "beside.md", f"{_shown(charts)}{told.replace('## ', '### ')}" if cases else NOT_MEASURED


def _peer_charts(cases: list[Any]) -> Iterator[tuple[str, str]]:
    for database, (name, (title, unit, more)) in product(tables.NAMES, PEERS.items()):
        of_database = [case for case in cases if case["database"] == database]
        bars = [bar for case in of_database for bar in _peer_bars(case, name)]
        bars.sort(key=lambda bar: bar.value, reverse=more)
        if bars:
            file = f"beside-{name.replace(' ', '-')}-{database}.svg"
            yield file, chart(f"{title}, {tables.NAMES[database]}", unit, bars)


def _peer_bars(case: Any, name: str) -> Iterator[Bar]:
    """Yield the bar of a case, or none where this figure was not measured."""
    for each in case["figures"]:
        if each["name"] == name:
            kind = "ours" if case["peer"] == peers.OURS else "other"
            label = f"{case['peer']}, {case['setting']}"
            yield Bar(label, each["value"], kind, min(each["values"]), max(each["values"]))


def _shown(charts: list[tuple[str, str]]) -> str:
    """Return the charts as images, named as they name themselves."""
    titles = [(file, re.search(r"<title>(.*)</title>", text)[1]) for file, text in charts]  # type: ignore[index]
    return "".join(f"![{title}](benchmarks/{file})\n\n" for file, title in titles)


if __name__ == "__main__":
    main()
