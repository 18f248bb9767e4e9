"""Jobs, claims and acks for the conformance suite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from django_jobs.engines import Engine
from django_jobs.engines.rows import Ack, ClaimedJob, NewJob
from django_jobs.models import Job
from django_jobs.outcomes import ErrorReport, Outcome
from django_jobs.states import AttemptOutcome, ErrorKind, Status
from django_jobs.uuid7 import uuid7

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE = NOW + timedelta(seconds=60)
TOKEN = 7_000_000_000_000_000_001
ERROR = ErrorReport(
    ErrorKind.EXCEPTION, "ValueError", "no such order", "Traceback …\nValueError: no such order", "f" * 16
)
UNCLAIMED = {"worker_id": "", "started_at": None, "claim_token": None, "lease": None}


def after(seconds: float) -> datetime:
    """Return a moment by its distance from NOW."""
    return NOW + timedelta(seconds=seconds)


def new(**values: Any) -> NewJob:
    """Return a ready job, or what `values` say."""
    plain = {
        "id": uuid7(),
        "function": "tests.jobs.add",
        "queue": "default",
        "status": Status.READY,
        "priority": 0,
        "run_after": NOW,
        "args": '{"args": [1, 2], "kwargs": {}}',
        "options": None,
        "max_attempts": 3,
        "timeout": 300.0,
    }
    return NewJob(**{**plain, **values})


def enqueue(engine: Engine, count: int = 1, **values: Any) -> list[NewJob]:
    """Store and return some jobs of one kind."""
    jobs = [new(**values) for _ in range(count)]
    engine.enqueue(jobs)
    return jobs


def claim(
    engine: Engine, n: int = 1, *queues: str, token: int = TOKEN, lease: datetime = LEASE
) -> list[ClaimedJob]:
    """Claim as worker w1."""
    return engine.claim(queues or ("default",), n, worker_id="w1", token=token, lease=lease)


def running(engine: Engine, *, token: int = TOKEN, **values: Any) -> ClaimedJob:
    """Store a job and claim it."""
    (job,) = enqueue(engine, **values)
    (claimed,) = claim(engine, 1, job.queue, token=token)
    assert claimed.id == job.id
    return claimed


def done(
    job: ClaimedJob,
    outcome: AttemptOutcome = AttemptOutcome.COMPLETED,
    *,
    token: int | None = None,
    retry_in: float | None = None,
    result: str | None = None,
    error: ErrorReport | None = None,
    worker_id: str = "w1",
) -> Ack:
    """Return the ack of a run that took two seconds from NOW on."""
    return Ack(
        Outcome(job.id, token or job.token, outcome, retry_in=retry_in, result_data=result, error=error),
        job.round,
        job.number,
        worker_id,
        NOW,
        after(2),
    )


def failed(job: ClaimedJob, retry_in: float | None = None) -> Ack:
    """Return the ack of a failed run."""
    return done(job, AttemptOutcome.FAILED, retry_in=retry_in, error=ERROR)


def row(job: Any) -> dict[str, Any]:
    """Return all columns of a job as stored."""
    return Job.objects.values().get(pk=job.id)


def columns(job: Any, *names: str) -> tuple[Any, ...]:
    """Return some columns of a job as stored."""
    return tuple(Job.objects.values_list(*names).get(pk=job.id))


def statuses() -> dict[Any, str]:
    """Return every job's status by its id."""
    return dict(Job.objects.values_list("pk", "status"))


def analyze(table: str) -> None:
    """Have the database take notice of what is in a table."""
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute(f"ANALYZE TABLE {table}")
            cursor.fetchall()
        else:
            cursor.execute(f"ANALYZE {table}")
