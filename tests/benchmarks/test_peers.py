"""Other task queues are measured beside ours: what their scripts say, what the report makes of figures."""

from __future__ import annotations

import ast
import json
import os
import sys
import time
from pathlib import Path

import pytest

from benchmarks.figures import Figure
from benchmarks.peers import report
from benchmarks.peers.header import OURS, SCRIPTS, Header, all_peers, read
from benchmarks.peers.venvs import last_line
from benchmarks.peers.visit import Failed, figures_of, run

HEAD = '''# /// script
# dependencies = ["quick[fast]==1.2.3", "driver==4"]
# [tool.peer]
# databases = ["sqlite"]
# settings.doc = "`quick`"
# settings.best = "`quick --all`"
# ///
"""A script."""
'''
DRAIN, P50 = ("drain", "/s"), ("latency p50", "ms")


def header(peer: str) -> Header:
    """Return a peer of that name."""
    settings = {"doc": "its `command`", "best": "its `command --fast`"}
    return Header("a_script", peer, "1.0", (f"{peer}==1.0",), ("sqlite",), settings)


def case(peer: str, setting: str = "doc", database: str = "sqlite") -> report.Case:
    """Return a case of a peer of that name."""
    return report.Case(header(peer), database, setting)


def rounds(results: report.Results, measured: report.Case, measure: report.Measure, *values: float) -> None:
    """Keep one figure of several rounds."""
    for value in values:
        results.keep(measured, [Figure(measure[0], value, measure[1])])


def test_a_script_says_at_its_head_what_is_installed_and_measured() -> None:
    found = read("quick_one", HEAD)
    assert (found.script, found.peer, found.version) == ("quick_one", "quick", "1.2.3")
    assert found.packages == ("quick[fast]==1.2.3", "driver==4")
    assert found.databases == ("sqlite",)
    assert found.settings == {"doc": "`quick`", "best": "`quick --all`"}


@pytest.mark.parametrize("text", ['"""No head."""\n', HEAD + HEAD], ids=["none", "two"])
def test_a_script_without_one_head_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"quick_one\.py: expected one block"):
        read("quick_one", text)


def test_every_script_pins_its_versions_and_knows_both_settings() -> None:
    peers = all_peers()
    assert peers[0].peer == OURS
    assert peers[0].packages == ()
    for peer in peers:
        assert list(peer.settings) == ["doc", "best"], peer.script
        assert set(peer.databases) <= {"sqlite", "postgresql"}, peer.script
        assert all("==" in package for package in peer.packages), peer.script


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("[!_]*.py")), ids=lambda path: path.stem)
def test_every_script_offers_a_peer(path: Path) -> None:
    names = [
        target.id
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert "PEER" in names


def test_the_last_line_that_says_something_is_the_error() -> None:
    assert last_line("Traceback …\n  File …\nKeyError: 'x'\n \n") == "KeyError: 'x'"
    assert last_line("") == ""


def test_figures_are_read_from_the_last_line() -> None:
    told = json.dumps([Figure("drain", 12.5, "/s")._asdict()])
    assert figures_of(0, f"something the peer prints\n{told}\n", "") == [Figure("drain", 12.5, "/s")]


def test_a_script_that_fails_gives_its_error_line() -> None:
    with pytest.raises(Failed, match=r"^no tables$"):
        figures_of(1, "[]", "warning\nno tables\n")
    with pytest.raises(Failed, match="ended with -9"):
        figures_of(-9, "", "")


def test_nothing_that_a_script_leaves_behind_outlives_it(tmp_path: Path) -> None:
    leaves = (
        "import subprocess;"
        "left = subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
        "print(left.pid)"
    )
    code, out, _ = run([sys.executable, "-c", leaves], dict(os.environ), str(tmp_path), patience=100)
    assert code == 0
    while Path(f"/proc/{int(out)}").exists() and _state(int(out)) != "Z":
        time.sleep(0.01)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"


def test_a_script_that_hangs_is_ended_and_told(tmp_path: Path) -> None:
    hangs = [sys.executable, "-c", "import time; time.sleep(600)"]
    assert run(hangs, dict(os.environ), str(tmp_path), patience=0.1) == (1, "", "not done after 0.1 s")


def test_the_median_of_the_rounds_is_told() -> None:
    results = report.Results()
    rounds(results, case("quick"), DRAIN, 10, 900, 30)
    assert results.median(results.cases("sqlite")[0], DRAIN) == 30
    assert results.median(results.cases("sqlite")[0], P50) is None


def test_each_side_is_held_up_by_its_best_setting() -> None:
    results = report.Results()
    quick, quickest, slow = case("quick"), case("quick", "best"), case("slow", "best")
    ours, ours_best = case(OURS), case(OURS, "best")
    for measured, rate, wait in [
        (ours, 50, 2),
        (ours_best, 80, 4),
        (quick, 10, 6),
        (quickest, 20, 8),
        (slow, 1, 5),
    ]:
        rounds(results, measured, DRAIN, rate)
        rounds(results, measured, P50, wait)
    cases = results.cases("sqlite")
    assert report.ratio(results, cases, DRAIN) == (4.0, quickest)
    assert report.ratio(results, cases, P50) == (0.4, slow)


def test_without_a_peer_there_is_no_ratio() -> None:
    results = report.Results()
    rounds(results, case(OURS), DRAIN, 50)
    assert report.ratio(results, results.cases("sqlite"), DRAIN) is None


def test_a_peer_that_failed_is_told_with_its_error_and_keeps_what_it_had() -> None:
    results = report.Results()
    quick = case("quick")
    rounds(results, quick, DRAIN, 10)
    results.fail(quick, "no job began | within 30 s")
    line = next(line for line in report.tables(results) if line.startswith("| quick"))
    assert line == "| quick 1.0 | doc | – failed: no job began ¦ within 30 s | – | – | 10.0 | – | – |"
    assert results.as_json()[0]["error"] == "no job began | within 30 s"


def test_both_files_tell_the_same(tmp_path: Path) -> None:
    results = report.Results()
    ours, quick = case(OURS, database="postgresql"), case("quick", database="postgresql")
    rounds(results, ours, DRAIN, 1_000, 3_000, 2_000)
    rounds(results, quick, DRAIN, 500)
    report.write(results, about="On one day.", directory=tmp_path)
    listed = json.loads((tmp_path / "peers.json").read_text())
    assert listed[0] == {
        "peer": OURS,
        "version": "1.0",
        "database": "postgresql",
        "setting": "doc",
        "command": "its `command`",
        "figures": [{"name": "drain", "value": 2_000, "unit": "/s", "values": [1_000, 3_000, 2_000]}],
    }
    table = (tmp_path / "peers.md").read_text()
    assert table.startswith("On one day.\n\n## PostgreSQL\n")
    assert "| **ours ÷ the fastest peer** |  | – | – | – | 4.00 × (quick, doc) | – | – |" in table
