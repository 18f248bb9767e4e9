"""Sizes of memory as people write them: 512M, 2G."""

from __future__ import annotations

import re

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SIZE = re.compile(r"([0-9]{1,15}) ?([KMGT]?)(?:i?B)?", re.IGNORECASE | re.ASCII)

EXPECTED = "a number of bytes, or a text like 512M or 2G"


def size(text: str) -> int:
    """Return the bytes of a size in words; the units are those of 1024.

    Raises:
        ValueError: it is none.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not {EXPECTED}")
    return int(found[1]) * _UNITS[found[2].upper()]


def words(number: int) -> str:
    """Return so many bytes as one would write them."""
    for unit in "TGM":
        if number >= _UNITS[unit]:
            return f"{number / _UNITS[unit]:.4g}{unit}"
    return f"{number} bytes"
