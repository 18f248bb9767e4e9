"""Sizes are read and written as people do."""

from __future__ import annotations

import pytest

from django_jobs import sizes


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("512", 512),
        ("1K", 1024),
        ("512M", 512 * 2**20),
        ("512 MiB", 512 * 2**20),
        ("2gb", 2 * 2**30),
        ("1T", 2**40),
    ],
)
def test_a_size_is_read(text: str, number: int) -> None:
    assert sizes.size(text) == number


@pytest.mark.parametrize("text", ["", "M", "-1M", "1.5G", "512X", "1 000", "٣M", "9" * 16])
def test_what_is_no_size_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number of bytes, or a text like 512M or 2G"):
        sizes.size(text)


def test_a_size_is_written_in_its_largest_unit() -> None:
    assert [sizes.words(n) for n in (12, 2**20, 3 * 2**29, 2**40)] == ["12 bytes", "1M", "1.5G", "1T"]
