"""Remove old jobs while all others who write wait: in as few and as plain statements as that takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django_jobs.engines.portable.batches import batches
from django_jobs.engines.portable.removing import CHILDREN

Ask = Callable[[str, tuple[Any, ...]], list[Any]]

# By the number of the row: in place of an id anything may stand, and what is none can be removed as well.
_OLDEST = """SELECT rowid FROM django_jobs_job
    WHERE status = %s AND run_after < %s ORDER BY run_after LIMIT %s"""
_CHILDREN = "DELETE FROM {} WHERE job_id IN (SELECT id FROM django_jobs_job WHERE rowid IN ({}))"
_JOBS = "DELETE FROM django_jobs_job WHERE rowid IN ({})"


def prune(ask: Ask, status: str, before: str | None, limit: int) -> int:
    """Remove the jobs that have been in this final state longest; return how many there were."""
    rows = [row for (row,) in ask(_OLDEST, (status, before, limit))]
    for part in batches(rows):
        places = ", ".join(["%s"] * len(part))
        for child in CHILDREN:
            ask(_CHILDREN.format(child._meta.db_table, places), tuple(part))
        ask(_JOBS.format(places), tuple(part))
    return len(rows)
