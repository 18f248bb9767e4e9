"""The job that is measured: it does nothing."""

from __future__ import annotations

from django_jobs import job


@job
def no_op(number: int = 0) -> None:
    """Do nothing."""
