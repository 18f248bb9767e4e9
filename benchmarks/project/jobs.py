"""The job that is measured: it does nothing."""

from __future__ import annotations

from django_jobs import job
from django_jobs.wire.clock import boottime_ns


@job
def no_op(number: int = 0) -> None:
    """Do nothing."""


@job
def begin() -> int:
    """Return when this began (nanoseconds of CLOCK_BOOTTIME, which all processes of a host share)."""
    return boottime_ns()
