"""How much the tests of faults do, decided here alone: TEST_TIER 0 (each run), 1 (before a push), 2 (hours).

Whatever the tier, the facts that are asserted are the same; only how often they are put to the test differs.
How long something may take at most is asserted in the highest one alone, which has the machine for itself.
"""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")
TIER = int(os.environ.get("TEST_TIER", "0"))


def by_tier(*sizes: T) -> T:
    """Return the size for this tier: the first one for tier 0, and the last one for all beyond."""
    return sizes[min(TIER, len(sizes) - 1)]
