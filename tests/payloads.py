"""What stored jobs are given, as tests ask for it."""

from __future__ import annotations

from typing import Any

from django_jobs.models import Job
from django_jobs.serializers import Owner, load_args


def owner_of(job: Job) -> Owner:
    """Return whose a job's payload is."""
    return Owner(job.pk, job.function)


def args_of(job: Job) -> tuple[list[Any], dict[str, Any]]:
    """Return what a stored job's function is to be called with."""
    return load_args(job.args, owner_of(job))
