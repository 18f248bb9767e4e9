"""Rows as the engines leave them, and rows nobody should ever have written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from django_jobs.models import Attempt, Job, JobError

NOW = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)

MakeJob = Callable[..., Job]


def _job(**columns: Any) -> Job:
    defaults = {
        "function": "shop.jobs.send_receipt",
        "status": "completed",
        "run_after": NOW,
        "args": '{"args": [42], "kwargs": {}}',
    }
    return Job.objects.create(**{**defaults, **columns})


@pytest.fixture
def make_job(db: None) -> MakeJob:
    """Return a maker of jobs."""
    return _job


@pytest.fixture
def dead_job(db: None) -> Job:
    """Return a job that failed twice and is dead."""
    job = _job(status="dead", attempts=2, max_attempts=2, error="ValueError: second")
    for number, word in [(1, "first"), (2, "second")]:
        begin = NOW + timedelta(minutes=number)
        run = {"job": job, "token": number, "round": 1, "number": number, "worker_id": "host:7:ab"}
        Attempt.objects.create(
            **run, outcome="failed", started_at=begin, finished_at=begin + timedelta(seconds=2)
        )
        JobError.objects.create(
            **run,
            kind="exception",
            exception_type="ValueError",
            message=word,
            traceback=f"Traceback (most recent call last):\n  {word} line",
            fingerprint="0123456789abcdef",
            failed_at=begin + timedelta(seconds=2),
            duration=2.0,
        )
    return job
