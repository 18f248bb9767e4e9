"""How much memory this runner has, and how much a job may take of it."""

from __future__ import annotations

import resource
from pathlib import Path


def resident() -> int:
    """Return the bytes of memory this process occupies, with what it shares with others."""
    return _pages(1) * resource.getpagesize()


def _pages(column: int) -> int:
    return int(Path("/proc/self/statm").read_text().split()[column])
