"""Text is cleaned of what no database takes, and cut where it is too long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from django_jobs.serializers import clean, truncated
from django_jobs.serializers.limits import ends


def test_nul_and_lone_surrogates_are_replaced() -> None:
    assert clean("a\0b\ud800c🦀") == "a\ufffdb\ufffdc🦀"


def test_text_within_the_limit_stays() -> None:
    assert truncated("x" * 100, 100) == "x" * 100


def test_text_over_the_limit_keeps_both_ends_and_says_its_size() -> None:
    text = truncated("first line\n" + "x" * 5000 + "\nlast line", 200)
    assert text.startswith("first line")
    assert text.endswith("last line")
    assert "truncated, 5,021 bytes in all" in text


@given(st.text(st.characters()), st.integers(0, 300))
def test_the_limit_holds_in_bytes_whatever_the_text(text: str, limit: int) -> None:
    assert len(truncated(text * 5, limit).encode()) <= limit


@given(st.text(st.characters(), min_size=1), st.integers(0, 300))
def test_ends_that_are_known_come_to_the_same_as_the_whole_text(text: str, limit: int) -> None:
    whole = text * 400
    assert ends(whole[:limit], whole[-limit:] if limit else "", of=whole, limit=limit) == truncated(
        whole, limit
    )
