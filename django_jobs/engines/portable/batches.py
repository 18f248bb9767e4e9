"""Long lists of ids, cut so that no statement exceeds a database's number of parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
SIZE = 500


def batches(items: Sequence[T], *, size: int = SIZE) -> Iterator[Sequence[T]]:
    """Return consecutive parts of at most so many items."""
    return (items[start : start + size] for start in range(0, len(items), size))
