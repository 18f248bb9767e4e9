"""What was measured, as Markdown: all of it is made of the stored JSON, nothing is typed."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from benchmarks.figures import number
from benchmarks.goals import GOALS, Goal

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
# Those for which there are goals; of the others is told what they do.
WITH_GOALS = ("sqlite", "postgresql")

Told = dict[str, Any]


def whole(told: Told) -> str:
    """Return the whole report of a run of ours."""
    return f"{circumstances(told)}\n{sections(told)}"


def circumstances(told: Told) -> str:
    """Return on what it was measured, and what was not."""
    about = {**told["about"], "load at the beginning of each": _joined(told["about"][_LOAD])}
    lines = [*_table(("", ""), ((what, str(said)) for what, said in about.items())), ""]
    lines += _table(
        ("database", "driver", "durability, as it answers", "file system"),
        (
            (each["version"], each["driver"], each["durability"], each["disk"])
            for each in told["databases"].values()
        ),
    )
    lines += _busy(told["about"])
    if told["left out"]:
        lines += ["", f"Left out of this run: {_joined(f'`{name}`' for name in told['left out'])}."]
    if _broken_off(told):
        lines += ["", "**Broken off**: not everything was measured in every round."]
    if told["failed"]:
        lines += ["", f"**Failed**: {_joined(told['failed'])}."]
    return _text(lines)


def _broken_off(told: Told) -> bool:
    rounds = told["about"]["rounds"]
    figures = [figure for section in told["sections"] for figure in section["figures"]]
    return any(len(_known(values)) < rounds for each in figures for values in each["values"].values())


_LOAD = "load at the beginning of each"


def _busy(about: Told) -> list[str]:
    """Return a warning where the machine had far more to do than to be measured."""
    load, cores = max(about[_LOAD]), int(about["processors"].split()[0])
    # What is measured is itself a load of two to three.
    if load <= 2 * cores:
        return []
    return [
        "",
        f"**The machine was busy with something else**: a load of {load:g} on {cores} cores. Figures in "
        "seconds, and rates, tell more about that than about what was measured; shares of the same round, "
        "processor time and memory bear it better.",
    ]


def sections(told: Told) -> str:
    """Return a table for each section: the median, and behind it the least and the most of all rounds."""
    databases = list(told["databases"])
    lines: list[str] = []
    for section in told["sections"]:
        rows = [
            [each["name"], each["unit"], *(_cell(each["values"].get(name)) for name in databases)]
            for each in section["figures"]
        ]
        heads = [section["title"].lower(), "unit", *(NAMES[name] for name in databases)]
        lines += [*_table(heads, rows), ""]
    return _text(lines)


def goals(told: Told | None) -> str:
    """Return what is to be reached, and what was."""
    heads = ["figure", "unit"]
    for database in WITH_GOALS:
        heads += [f"{NAMES[database]}: goal", "measured", ""]
    rows = [
        [goal.name, goal.unit, *(cell for database in WITH_GOALS for cell in _judged(told, goal, database))]
        for goal in GOALS
    ]
    return _text(_table(heads, rows))


def _judged(told: Told | None, goal: Goal, database: str) -> list[str]:
    bound = goal.bound(database)
    if bound is None:
        return ["", "", ""]
    words = f"{'≥' if goal.at_least else '≤'} {bound:,g}"
    found = known(told, goal.name, database)
    if not found:
        return [words, "–", "not measured"]
    median = statistics.median(found)
    return [words, number(median), "reached" if goal.reached(database, median) else "**not reached**"]


def known(told: Told | None, name: str, database: str) -> list[float]:
    """Return the values of a figure that were measured, of all rounds."""
    for section in told["sections"] if told else []:
        for each in section["figures"]:
            if each["name"] == name:
                return _known(each["values"].get(database, []))
    return []


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _cell(values: Sequence[float | None] | None) -> str:
    found = _known(values or [])
    if not found:
        return "–"
    told = number(statistics.median(found))
    return told if len(found) == 1 else f"{told} ({number(min(found))} to {number(max(found))})"


def _joined(words: Iterable[object]) -> str:
    return ", ".join(map(str, words))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"
