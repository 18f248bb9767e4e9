"""A file system of a few megabytes, in memory, that a test fills."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.missing import missing

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
    """Mount one for the time of a test, which is left out where that is not allowed."""
    path.mkdir()
    if shutil.which("mount") is None:
        missing("there is no mount here, which would make a disk that is small enough to be filled")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,uid={os.geteuid()}", "tmpfs", str(path)]
    ended = subprocess.run([*_as_root(), *mount], capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        # What root may not do in this container nobody can install, so that also CI has to do without.
        leave_out = pytest.skip if os.geteuid() == 0 else missing
        leave_out(f"a disk that is small enough to be filled cannot be mounted: {ended.stderr.strip()}")
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
    subprocess.run([*_as_root(), "umount", "--lazy", point], check=True)


def _as_root() -> list[str]:
    """Return what runs a command as root, which only root may do without being asked for a password."""
    return ["sudo", "-n"] if os.geteuid() and shutil.which("sudo") else []
