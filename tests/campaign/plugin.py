"""What pytest tells the campaign: which rows there are, with what they run, and what has become of one.

Given to pytest with `-p tests.campaign.plugin`; it writes JSON into the file that CAMPAIGN_FILE names.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

FILE = "CAMPAIGN_FILE"
GRAVITY = ("passed", "skipped", "failed")
PATH = re.compile(r"(?<![\w.])/[^\s:,;'\")]+")
_reports: list[pytest.TestReport] = []


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say which rows there are: one for each test function, whatever number of cases it has."""
    if session.config.option.collectonly:
        _write({"rows": rows_of(session.items), "versions": _versions(session.config)})


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what has become of each phase of a case."""
    _reports.append(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say what has become of the row."""
    if not session.config.option.collectonly:
        _write(summary(_reports))


def _write(said: dict[str, Any]) -> None:
    Path(os.environ[FILE]).write_text(json.dumps(said))


def rows_of(items: Iterable[pytest.Item]) -> list[dict[str, Any]]:
    """Return the rows these cases make, in their order."""
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        test = item.nodeid.partition("[")[0]
        row = {"test": test, "title": _title(item), "about": _first_line(getattr(item, "module", None))}
        found.setdefault(test, {**row, "cases": 0})["cases"] += 1
    return list(found.values())


def _title(item: pytest.Item) -> str:
    # A test is named as a fact.
    name = getattr(item, "originalname", None) or item.name
    return _first_line(getattr(item, "function", None)) or as_words(name)


def as_words(name: str) -> str:
    """Return the fact that a test is named as."""
    return re.sub(r" s(?= |$)", "'s", name.removeprefix("test_").replace("_", " "))


def _first_line(documented: object) -> str:
    return (getattr(documented, "__doc__", None) or "").strip().partition("\n")[0]


def _versions(config: pytest.Config) -> dict[str, str]:
    versions = {"Python": platform.python_version()}
    if config.pluginmanager.hasplugin("django"):
        import django

        versions |= {"Django": django.get_version(), "database": _server(config)}
    return versions


def _server(config: pytest.Config) -> str:
    from django.db import connection
    from pytest_django.plugin import blocking_manager_key

    if connection.vendor == "sqlite":
        import sqlite3

        return sqlite3.sqlite_version
    asked = {"postgresql": "SHOW server_version", "mysql": "SELECT VERSION()"}[connection.vendor]
    # None of its databases is needed for that, and the tests' own are not made yet.
    with config.stash[blocking_manager_key].unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(asked)
        return str(cursor.fetchone()[0]).split()[0].split("-")[0]


def summary(reports: Iterable[pytest.TestReport]) -> dict[str, Any]:
    """Return how many cases passed, failed or were skipped, why, and what they measured."""
    cases: dict[str, str] = {}
    for report in reports:
        before = cases.get(report.nodeid, GRAVITY[0])
        cases[report.nodeid] = max(before, report.outcome, key=GRAVITY.index)
    return {
        "cases": dict(sorted(Counter(cases.values()).items())),
        "failed": [name.partition("[")[2].rstrip("]") for name, how in cases.items() if how == "failed"],
        "reasons": sorted({_reason(report) for report in reports if report.skipped}),
        "sizes": sorted({str(size) for size in _properties(reports, "size")}),
        "figures": _figures(reports),
    }


def _reason(report: pytest.TestReport) -> str:
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    # The report is for everybody: no path of this machine belongs into it.
    return PATH.sub("…", said.removeprefix("Skipped: ")).partition("\n")[0]


def _properties(reports: Iterable[pytest.TestReport], name: str) -> list[Any]:
    # Each phase repeats those of the phases before.
    last = (report for report in reports if report.when == "teardown")
    return [value for report in last for key, value in report.user_properties if key == name]


def _figures(reports: Iterable[pytest.TestReport]) -> dict[str, dict[str, float]]:
    found: dict[str, list[float]] = {}
    for what, number, *_ in _properties(reports, "figure"):
        found.setdefault(what, []).append(number)
    return {
        what: {
            "times": len(numbers),
            "median": round(statistics.median(numbers), 3),
            "worst": round(max(numbers), 3),
        }
        for what, numbers in sorted(found.items())
    }
