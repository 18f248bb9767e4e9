"""How a script tells what it has measured: in words, or as JSON for whoever runs several of them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured number.

    Attributes:
        name: what was measured, in a few words.
        value: how much.
        unit: of what: "/s", "ms", "MB", "s/min" …
    """

    name: str
    value: float
    unit: str

    def __str__(self) -> str:
        return f"{self.name}: {number(self.value)} {self.unit}"


def number(value: float) -> str:
    """Return a value with as many digits as it is worth."""
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def tell(*figures: Figure) -> None:
    """Print figures, one a line; where BENCH_JSON is set, as one line of JSON."""
    if os.environ.get("BENCH_JSON"):
        print(json.dumps([figure._asdict() for figure in figures]), flush=True)
    else:
        print(*figures, sep="\n", flush=True)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return how long something takes, and how much of this process's processor time (seconds)."""
    began, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - busy


def percentile(sorted_values: list[float], share: float) -> float:
    """Return the value below which such a share (0 to 1) of the sorted values lies, by the nearest rank."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]
