"""How far the jobs are, with rich and without."""

from __future__ import annotations

import io
import sys

import pytest

from example_project.airports.demo.bar import PlainBar, RichBar, Shown, bar
from example_project.airports.demo.tally import Progress


class Terminal(io.StringIO):
    """What a person sits before."""

    def isatty(self) -> bool:
        return True


def test_a_line_is_printed_for_each_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    plain = PlainBar()
    for final in range(9):
        plain.update(Progress(final=final, total=8, running=2, begun=0))
    assert capsys.readouterr().out.splitlines() == [
        f"  {final} of 8 jobs are final, 2 running" for final in (2, 4, 6, 8)
    ]


def test_a_database_that_is_away_is_told_of_once(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Shown(PlainBar())
    for now in (None, None, Progress(final=0, total=8, running=2, begun=0)):
        shown.advance(now)
    assert [line.split(".")[0] for line in capsys.readouterr().out.splitlines()] == [
        "The database does not answer",
        "The database answers again",
    ]


@pytest.mark.parametrize(
    ("stdout", "kind", "rich", "expected"),
    [
        (Terminal(), "xterm", True, RichBar),
        (Terminal(), "xterm", False, PlainBar),
        (Terminal(), "dumb", True, PlainBar),
        (io.StringIO(), "xterm", True, PlainBar),
    ],
    ids=["all is there", "no rich", "a terminal where nothing moves", "no terminal"],
)
def test_the_bar_moves_only_where_it_can(
    monkeypatch: pytest.MonkeyPatch, stdout: io.StringIO, kind: str, rich: bool, expected: type
) -> None:
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setenv("TERM", kind)
    if not rich:
        monkeypatch.setitem(sys.modules, "rich.progress", None)
    assert isinstance(bar(), expected)
