"""Remove old jobs with all that is theirs, by a statement a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django_jobs.engines.portable.removing import CHILDREN

Ask = Callable[[str, tuple[Any, ...]], list[Any]]

# Locked first, so that nobody requeues, claims or removes one meanwhile; what another has is skipped.
_OLDEST = """SELECT id FROM django_jobs_job
    WHERE status = %s AND run_after < %s ORDER BY run_after LIMIT %s FOR UPDATE SKIP LOCKED"""
# In a statement of its own for each table: it sees what was committed before the locks were had. Found job by
# job, whatever the statistics say: of a list of jobs the planner may take a scan of the whole table for
# the shorter way. The OFFSET keeps it from making a join of it.
_DELETE = """DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT found.ctid FROM unnest(%s::uuid[]) AS given(id)
    CROSS JOIN LATERAL (SELECT ctid FROM {table} WHERE {column} = given.id OFFSET 0) AS found))"""
_DELETES = [
    *(_DELETE.format(table=child._meta.db_table, column="job_id") for child in CHILDREN),
    _DELETE.format(table="django_jobs_job", column="id"),
]


def prune(ask: Ask, status: str, before: datetime, limit: int) -> int:
    """Remove the jobs that have been in this final state longest; return how many there were."""
    ids = [job_id for (job_id,) in ask(_OLDEST, (status, before, limit))]
    for delete in _DELETES if ids else ():
        ask(delete, (ids,))
    return len(ids)
