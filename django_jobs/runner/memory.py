"""How much memory this runner has, and how much a job may take on top of it."""

from __future__ import annotations

import resource
from pathlib import Path
from types import TracebackType
from typing import Self

from django_jobs import sizes


def resident() -> int:
    """Return the bytes of memory this process occupies, with what it shares with others."""
    return _pages(1) * resource.getpagesize()


def reserved() -> int:
    """Return the bytes of addresses this process has reserved; the kernel limits these."""
    return _pages(0) * resource.getpagesize()


class Allowance:
    """Lets a block take so much memory; a MemoryError that comes of it says so.

    What the process has reserved before comes on top. It is several times what it occupies and nobody
    knows how much, so a limit on the whole would mean something else for each project.

    Args:
        most: bytes; None for any number.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._before: int | None = None

    def __enter__(self) -> Self:
        if self._most is not None:
            soft, hard = resource.getrlimit(resource.RLIMIT_AS)
            limit = reserved() + self._most
            # A lower one that is there already would be the one that is met.
            if limit < min(_finite(soft), _finite(hard)):
                self._before = soft
                resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._most is None or self._before is None:
            return
        _restore(self._before)
        if isinstance(error, MemoryError):
            # Another exception and not a note: the message is what lists show, and Python's own is empty.
            text = f"the job needed more memory than its max_memory of {sizes.words(self._most)}"
            said = str(error)
            raise MemoryError(f"{text}: {said}" if said else text).with_traceback(trace) from None


def _restore(soft: int) -> None:
    # The job may have lowered the hard limit meanwhile, and above that there is no way back.
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (soft if _finite(soft) <= _finite(hard) else hard, hard))


def _finite(limit: int) -> float:
    return float("inf") if limit == resource.RLIM_INFINITY else limit


def _pages(column: int) -> int:
    return int(Path("/proc/self/statm").read_text().split()[column])
