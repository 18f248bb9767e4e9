"""What a machine does not have is left out with a word about it, but not where all has to be there."""

from __future__ import annotations

import pytest

from tests.missing import missing


def test_a_test_is_left_out_for_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no program of this kind"):
        missing("no program of this kind")


def test_in_ci_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no program of this kind"):
        missing("no program of this kind")
