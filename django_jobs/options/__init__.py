"""The options of a job: their names, defaults and checks, and how they travel with the row."""

from __future__ import annotations

from django_jobs.options.checks import RetryCallable
from django_jobs.options.given import CALL, DECORATOR, DEFAULT_QUEUE, SETTINGS, Options
from django_jobs.options.stored import (
    OnFailure,
    StoredOptions,
    interrupting_soft_timeout,
    on_failure,
    result_ttl,
)

__all__ = [
    "CALL",
    "DECORATOR",
    "DEFAULT_QUEUE",
    "SETTINGS",
    "OnFailure",
    "Options",
    "RetryCallable",
    "StoredOptions",
    "interrupting_soft_timeout",
    "on_failure",
    "result_ttl",
]
