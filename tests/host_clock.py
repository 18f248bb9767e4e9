"""A host's clock that a test sets, for the processes of its workers alone; libfaketime tells the time."""

from __future__ import annotations

import glob
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.missing import missing

_LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"


class HostClock:
    """What the clock of one host says.

    Attributes:
        ahead: by how much it is ahead of this machine's own.

    Args:
        path: where the processes of that host read by how much it is wrong.
    """

    def __init__(self, path: Path) -> None:
        found = sorted(glob.glob(_LIBRARIES))
        if not found:
            missing("libfaketime is not installed, which is what sets a host's clock here")
        self._path, self._library = path, found[0]
        self.set(timedelta(0))

    def set(self, ahead: timedelta) -> None:
        """Set it by so much ahead of this machine's own, or behind where that is below 0."""
        self.ahead = ahead
        beside = self._path.with_name(f"{self._path.name}.new")
        beside.write_text(f"{ahead.total_seconds():+.0f}\n")
        beside.replace(self._path)

    def now(self) -> datetime:
        """Return what it says."""
        return datetime.now(UTC) + self.ahead

    def at(self, boottime: float) -> datetime:
        """Return what it said at a moment of CLOCK_BOOTTIME (seconds), if it was not set since."""
        return self.now() - timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME) - boottime)

    @property
    def variables(self) -> dict[str, str]:
        """What processes of that host have in their environment.

        In these time.sleep fails in the versions of Python that sleep until a moment.
        """
        return {
            "LD_PRELOAD": self._library,
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_RESET": "1",
            # The clocks that nobody can set go on; and Event.wait would hang.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
