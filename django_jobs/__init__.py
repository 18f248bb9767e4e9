"""Background jobs for Django out of your own database.

Everything here is importable before `django.setup()`; `Job` lives in `django_jobs.models`.
"""

from __future__ import annotations

from django_jobs.context import JobContext, JobInfo, current_job, get_current_job
from django_jobs.exceptions import (
    CancelRequested,
    DuplicateJobFunction,
    HardTimeout,
    InvalidJobFunction,
    JobCancelled,
    JobFailed,
    JobNotFound,
    JobsError,
    NoCurrentJob,
    PayloadTooLarge,
    PermanentError,
    ResultError,
    ResultExpired,
    ResultTimeout,
    ResultTooLarge,
    RetryJob,
    SerializationError,
    SoftTimeout,
    TransientError,
    UnknownJobFunction,
    UnknownOption,
    WouldWaitForever,
)
from django_jobs.functions import JobFunction, job
from django_jobs.policies import exponential, fixed, linear, steps
from django_jobs.queues import pause_queue, resume_queue
from django_jobs.router import JobsRouter

__version__ = "0.1.0"

__all__ = [
    "CancelRequested",
    "DuplicateJobFunction",
    "HardTimeout",
    "InvalidJobFunction",
    "JobCancelled",
    "JobContext",
    "JobFailed",
    "JobFunction",
    "JobInfo",
    "JobNotFound",
    "JobsError",
    "JobsRouter",
    "NoCurrentJob",
    "PayloadTooLarge",
    "PermanentError",
    "ResultError",
    "ResultExpired",
    "ResultTimeout",
    "ResultTooLarge",
    "RetryJob",
    "SerializationError",
    "SoftTimeout",
    "TransientError",
    "UnknownJobFunction",
    "UnknownOption",
    "WouldWaitForever",
    "current_job",
    "exponential",
    "fixed",
    "get_current_job",
    "job",
    "linear",
    "pause_queue",
    "resume_queue",
    "steps",
]
