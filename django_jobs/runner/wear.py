"""What a runner has come to with the jobs it ran: a number of them, and memory that did not come back."""

from __future__ import annotations

from django_jobs import logs
from django_jobs.recycling import Recycling
from django_jobs.runner import memory


class Wear:
    """What one runner has come to."""

    def __init__(self, limits: Recycling) -> None:
        self._limits = limits
        self._jobs = 0

    def begin(self) -> None:
        """Count a job that begins."""
        self._jobs += 1

    @property
    def has_enough(self) -> bool:
        """Whether the job that was counted last is the runner's last."""
        return self._limits.max_jobs is not None and self._jobs >= self._limits.max_jobs

    def is_out(self, *, after: str) -> bool:
        """Return whether the runner is to be replaced after this job of this function."""
        return self.has_enough or self._is_too_large(after)

    def _is_too_large(self, function: str) -> bool:
        most = self._limits.max_memory
        if most is None or (size := memory.resident()) <= most:
            return False
        logs.too_large(function=function, size=size, most=most)
        return True
