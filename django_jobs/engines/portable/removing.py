"""Remove jobs for good, each with its attempts and errors: by age, or by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Model, QuerySet

from django_jobs.engines.portable.batches import batches
from django_jobs.models import Attempt, Job, JobError, JobNote, ResultExpiry
from django_jobs.states import FINAL, Status

if TYPE_CHECKING:
    from django_jobs.engines.base import Engine
    from django_jobs.models.queries import JobQuerySet

CHILDREN = (Attempt, JobError, ResultExpiry, JobNote)


def prune(engine: Engine, status: Status, *, before: datetime, limit: int) -> int:
    """Remove the jobs that have been in this final state longest."""
    final = checked_final(status)
    with engine.transaction():
        # A final job's run_after is the moment it became final: the due index has them in order.
        old = Job.objects.using(engine.alias).filter(status=final, run_after__lt=before)
        return _remove(engine, old.order_by("run_after"), limit)


def checked_final(status: Status) -> Status:
    """Return a final status; jobs of any other are never pruned."""
    if status not in FINAL:
        raise ValueError(f"only final jobs are pruned, not {status} ones")
    return status


def purge(engine: Engine, queue: str, *, statuses: Iterable[Status], limit: int) -> int:
    """Remove jobs of a queue in no particular order: an order would only add a sort."""
    wanted = sorted(set(statuses) - {Status.RUNNING})
    with engine.transaction():
        return _remove(engine, Job.objects.using(engine.alias).filter(queue=queue, status__in=wanted), limit)


def _remove(engine: Engine, jobs: JobQuerySet, limit: int) -> int:
    # Locked first, so that nobody requeues, claims or prunes one meanwhile; what another has is skipped.
    locked = jobs.select_for_update(skip_locked=True).values_list("pk", flat=True)
    return sum(_remove_family(engine, part) for part in batches(sorted(locked[:limit])))


def _remove_family(engine: Engine, ids: Sequence[UUID]) -> int:
    for child in CHILDREN:
        rows = child.objects.using(engine.alias).filter(job__in=ids)
        delete(engine, child, rows.values_list("job", flat=True).distinct())
    return delete(engine, Job, ids)


def delete(engine: Engine, model: type[Model], jobs: Iterable[UUID]) -> int:
    """Delete the rows of these jobs from a table, by one statement executed for each.

    Not by a list of keys: for that MariaDB scans a short table, waits for each row in it that somebody
    has locked, and deadlocks; told which index to take it deadlocks still, beside others that prune.
    """
    connection, key = engine.connection, Job._meta.pk
    keys = [(key.get_db_prep_value(job_id, connection),) for job_id in sorted(jobs)]
    if not keys:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(_by_job(engine, model), keys)
        return int(cursor.rowcount)


def delete_rows(rows: QuerySet[Any]) -> int:
    """Delete these rows by one statement; return how many there were.

    `delete()` would call the project's receivers of Django's signals, and a worker's parent runs no such
    code. For the same reason rows are stored by `bulk_create`, be it one row.
    """
    return rows._raw_delete(rows.db)


def _by_job(engine: Engine, model: type[Model]) -> str:
    quote, column = engine.connection.ops.quote_name, "id" if model is Job else "job_id"
    return f"DELETE FROM {quote(model._meta.db_table)} WHERE {quote(column)} = %s"
