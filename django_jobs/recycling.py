"""When a runner makes room for a fresh one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recycling:
    """What a runner may come to before it is replaced, between two jobs.

    Attributes:
        max_jobs: how many jobs it runs; None for any number.
        max_memory: bytes of memory it may occupy after a job; None for any.
    """

    max_jobs: int | None = None
    max_memory: int | None = None
