"""What becomes of a ratio that is out of its bounds."""

from __future__ import annotations

import subprocess

import pytest

from benchmarks import check
from benchmarks.check import BOUNDS, Bound, words
from benchmarks.ratios import Ratio
from tests import databases

AT_LEAST, AT_MOST = Bound(usual=0.4, bound=0.2), Bound(usual=2, bound=4)


def test_a_ratio_within_its_bound_is_told_with_what_is_usual() -> None:
    assert words(Ratio("share", 0.3), AT_LEAST) == "share: 0.3, usually 0.4, at least 0.2"
    assert words(Ratio("cost", 3), AT_MOST) == "cost: 3, usually 2, at most 4"


def test_a_ratio_beyond_it_is_told_by_how_much() -> None:
    assert words(Ratio("share", 0.1), AT_LEAST).endswith("at least 0.2: OUT OF BOUNDS by 50%")
    assert words(Ratio("cost", 6), AT_MOST).endswith("at most 4: OUT OF BOUNDS by 50%")


def test_every_bound_is_wide_and_lets_pass_what_is_usual() -> None:
    for name, of_both in BOUNDS.items():
        for bound in of_both:
            assert bound.holds(bound.usual), name
            assert bound.bound >= 1.4 * bound.usual or bound.bound <= bound.usual / 1.4, name


def test_a_fallen_ratio_fails_the_check_and_a_database_that_is_away_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def find(name: str) -> None:
        if name == "postgresql":
            raise databases.Missing("nobody answers")

    code = 0
    monkeypatch.setattr(databases, "find", find)
    monkeypatch.setattr(subprocess, "run", lambda command: subprocess.CompletedProcess(command, code))
    assert check.check_all()
    assert "postgresql is left out: nobody answers" in capsys.readouterr().out
    code = 1
    assert not check.check_all()
