"""Seconds counted by size, so that a row of text can say how long half of a million runs took.

Bucket 0 is below a millisecond; bucket n is from 2ⁿ⁻¹ up to 2ⁿ milliseconds. A percentile is right to
within its bucket: by a factor of two at most.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

# Made once: json.dumps would make an encoder for every row.
_to_json = json.JSONEncoder(separators=(",", ":")).encode


def bucket(seconds: float) -> int:
    """Return the bucket that so many seconds fall into; less than none is none."""
    return int(seconds * 1000).bit_length() if seconds > 0 else 0


def bounds(number: int) -> tuple[float, float]:
    """Return from how many seconds up to how many a bucket reaches."""
    return (2 ** (number - 1) / 1000 if number else 0.0, 2**number / 1000)


class Histogram:
    """How many durations there were of each size, and their sum in seconds."""

    __slots__ = ("counts", "seconds")

    def __init__(self, counts: Mapping[int, int] | None = None, seconds: float = 0.0) -> None:
        self.counts, self.seconds = dict(counts or {}), seconds

    @classmethod
    def from_json(cls, text: str, seconds: float) -> Histogram:
        """Read what `to_json` wrote; the sum is kept beside it."""
        return cls({int(number): count for number, count in json.loads(text).items()}, seconds)

    def to_json(self) -> str:
        """Return the buckets that are not empty, as a JSON object."""
        return _to_json(self.counts)

    def add(self, durations: Iterable[float]) -> None:
        """Count some durations (seconds); one below zero, as of two clocks, is zero."""
        for seconds in durations:
            if seconds > 0:
                # As `bucket` says, without a call for each of thousands a second.
                number = int(seconds * 1000).bit_length()
                self.seconds += seconds
            else:
                number = 0
            self.counts[number] = self.counts.get(number, 0) + 1

    def merge(self, other: Histogram) -> None:
        """Count all of another's durations too."""
        for number, count in other.counts.items():
            self.counts[number] = self.counts.get(number, 0) + count
        self.seconds += other.seconds

    def copy(self) -> Histogram:
        """Return another that counts on from here."""
        return Histogram(self.counts, self.seconds)

    @property
    def count(self) -> int:
        """How many durations were counted."""
        return sum(self.counts.values())

    @property
    def mean(self) -> float | None:
        """The mean in seconds, exact; None of nothing."""
        return self.seconds / self.count if self.counts else None

    def percentile(self, percent: float) -> float | None:
        """Return how many seconds so many percent of the durations took at most; None of nothing.

        Within the bucket where that is, durations are taken to be spread evenly.
        """
        wanted = self.count * percent / 100
        below = 0
        for number, count in sorted(self.counts.items()):
            if below + count >= wanted:
                low, high = bounds(number)
                return low + (high - low) * (wanted - below) / count
            below += count
        return None
