"""As much of Linux's inotify as it takes to hear that one file was written. Python has none of its own."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)

_MODIFY, _ATTRIB, _IGNORED = 0x2, 0x4, 0x8000
_HEAD = struct.Struct("iIII")  # watch, mask, cookie, length of the name that follows


class FileWatch:
    """Tells when a file is written; by whichever process, as long as this kernel does the writing.

    Raises:
        OSError: there is no inotify, it has no instance or watch left, or it does not report.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = _checked(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), path)
        try:
            _checked(_libc.inotify_add_watch(self._fd, os.fsencode(path), _MODIFY | _ATTRIB), path)
            self._prove()
        except BaseException:
            self.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is something to read."""
        return self._fd

    def written(self) -> bool:
        """Return whether the file was written since the last call.

        Raises:
            FileNotFoundError: the file is gone, and the watch with it.
        """
        masks = self._masks()
        if any(mask & _IGNORED for mask in masks):
            raise FileNotFoundError(f"{self._path} was deleted")
        return any(mask & _MODIFY for mask in masks)

    def close(self) -> None:
        """Stop watching; bears being called twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _prove(self) -> None:
        # Some file systems and sandboxes take the watch and never report.
        os.utime(self._path)
        if not self._masks():
            raise OSError(f"inotify does not report changes of {self._path}")

    def _masks(self) -> list[int]:
        try:
            # The kernel merges equal events, so the few there can be fit; what does not is read next time.
            data = os.read(self._fd, 4096)
        except BlockingIOError:
            return []
        return [mask for _, mask, _, _ in _HEAD.iter_unpack(data)]


def _checked(result: int, path: Path) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(path))
    return result
