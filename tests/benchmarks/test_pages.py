"""What the page of figures includes is made of what is stored beside it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import measures, pages, tables
from benchmarks.bench import DATABASES
from benchmarks.charts import Bar, chart
from benchmarks.goals import GOALS
from benchmarks.peers.header import OURS
from tests.pages import page

STORED = pages._read(pages.STORED / "ours.json")


def test_the_stored_parts_are_those_of_the_stored_figures() -> None:
    found = {path.name: path.read_text() for path in pages.STORED.iterdir() if path.suffix in {".md", ".svg"}}
    found.pop("peers.md", None)  # is stored as a whole
    assert found == pages.parts()


def test_the_page_includes_every_part() -> None:
    for name in pages.parts():
        assert name.endswith(".svg") or f"```{{include}} benchmarks/{name}\n" in page("docs/benchmarks.md")


def test_without_figures_every_part_says_so(tmp_path: Path) -> None:
    parts = pages.parts(tmp_path)
    assert sorted(parts) == ["beside.md", "circumstances.md", "elsewhere.md", "goals.md", "ours.md"]
    assert all("not measured" in text.lower() for text in parts.values())


@pytest.mark.skipif(not STORED, reason="no figures are stored")
def test_a_run_that_is_kept_as_another_machine_s_is_told_beside_this_one_s(tmp_path, monkeypatch) -> None:
    built, stored = tmp_path / "built", tmp_path / "stored"
    built.mkdir()
    stored.mkdir()
    other = json.loads(STORED)
    other["about"]["processors"] = "9 abacuses"
    (stored / "ours.json").write_text(STORED)
    (built / "ours.json").write_text(json.dumps(other))
    monkeypatch.setattr(pages, "BUILT", built)
    monkeypatch.setattr(pages, "STORED", stored)
    monkeypatch.setattr("sys.argv", ["pages", "--keep", "elsewhere"])
    pages.main()
    assert (stored / "ours.json").read_text() == STORED
    assert "9 abacuses" in (stored / "elsewhere.md").read_text()
    assert "9 abacuses" not in (stored / "circumstances.md").read_text()


@pytest.mark.skipif(not STORED, reason="no figures are stored")
def test_what_has_a_goal_or_a_chart_is_called_as_it_was_measured() -> None:
    told = json.loads(STORED)
    charted = [name for *_, names in pages.OURS for name in names]
    measured = {each["name"] for section in told["sections"] for each in section["figures"]}
    if set(told["left out"]) - set(DATABASES):
        pytest.skip("the run that is stored has left out measures")
    assert {*charted, *(goal.name for goal in GOALS)} <= measured


def test_figures_of_others_are_drawn_from_the_best_on_and_ours_stands_out(tmp_path: Path) -> None:
    cases = [
        {
            "peer": peer,
            "database": "sqlite",
            "setting": "doc",
            "figures": [{"name": "drain", "value": value, "values": [value], "unit": "/s"}],
        }
        for peer, value in {"slow & steady": 50, OURS: 900, "fast": 500}.items()
    ]
    (tmp_path / "peers.json").write_text(json.dumps(cases))
    (tmp_path / "peers.md").write_text("told by the run\n")
    parts = pages.parts(tmp_path)
    drawn = ElementTree.fromstring(parts["beside-drain-sqlite.svg"])
    bars = [each.get("class") for each in drawn.iter("{http://www.w3.org/2000/svg}rect")]
    assert bars == ["ground", "ours", "other", "other"]
    assert "beside-drain-sqlite.svg" in parts["beside.md"]
    assert "told by the run" in parts["beside.md"]


def test_every_text_of_a_chart_is_within_it() -> None:
    names = {name for *_, names in pages.OURS for name in names}
    drawn = ElementTree.fromstring(chart("all", "ms", [Bar(name, 10_000.0) for name in names]))
    width = float(drawn.get("width") or 0)
    for text in drawn.iter("{http://www.w3.org/2000/svg}text"):
        # Seven units a letter are more than any usual font takes at this size.
        room = float(text.get("x") or 0) if text.get("text-anchor") else width - float(text.get("x") or 0)
        assert len(text.text or "") * 7 <= room, text.text


def test_a_share_is_told_of_figures_that_are_told(tmp_path: Path) -> None:
    assert len({share.name for share in measures.shares()}) == len(list(measures.shares()))
    assert tables.known(None, measures.DRAIN, "sqlite") == []
