"""A file system of a few megabytes, in memory, that a test fills."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_CHUNK = bytes(4096)


class SmallDisk:
    """The file system, and a file in it that is in everybody's way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self, *, leaving: int = 0) -> None:
        """Take all space that is left now, but for so many bytes."""
        with self._filler.open("ab", buffering=0) as filler:
            try:
                while self.free_bytes > leaving and filler.write(_CHUNK):
                    continue
            except OSError:  # there is no more
                return

    def free(self) -> None:
        """Give it all back."""
        self._filler.unlink(missing_ok=True)

    @property
    def free_bytes(self) -> int:
        """How much is left."""
        there = os.statvfs(self.path)
        return there.f_bavail * there.f_frsize


@contextmanager
def mounted(path: Path, *, megabytes: int) -> Iterator[SmallDisk]:
    """Mount one for the time of a test, which is skipped where that is not allowed."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)]
    try:
        ended = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here, which would make a disk that is small enough to be filled")
    if ended.returncode != 0:
        pytest.skip(f"a disk that is small enough to be filled cannot be mounted: {ended.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        _unmount(str(path))


def unmount_below(path: Path) -> None:
    """Unmount what tests that were killed have left in a directory."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in points:
        if point.startswith(f"{path}/"):
            _unmount(point)


def _unmount(point: str) -> None:
    # Lazily: should a test have failed, its processes may still have files open here.
    subprocess.run(["umount", "--lazy", point], check=True)
