"""The one clock of the worker's processes: monotonic, and it counts suspended time."""

from __future__ import annotations

import time


def boottime_ns() -> int:
    """Return CLOCK_BOOTTIME in nanoseconds: the same for all processes of a host, never set back."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def boottime() -> float:
    """Return CLOCK_BOOTTIME in seconds."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
