"""Store new jobs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast

from django.db.models import Field

from django_jobs.engines.rows import NewJob
from django_jobs.models import Job

if TYPE_CHECKING:
    from django_jobs.engines.base import Engine


def enqueue(engine: Engine, jobs: Sequence[NewJob]) -> None:
    """Store new jobs with one INSERT, executed for each; the other columns have defaults in the database.

    Not bulk_create: it builds an instance a job and cuts a long list at the vendor's number of parameters.
    """
    if not jobs:
        return
    fields = [cast("Field[Any, Any]", Job._meta.get_field(name)) for name in NewJob._fields]
    connection = engine.connection
    rows = [
        [field.get_db_prep_save(value, connection) for field, value in zip(fields, _plain(job), strict=True)]
        for job in jobs
    ]
    sql = _insert(engine)
    # A single INSERT is all or nothing by itself.
    with engine.transaction() if len(rows) > 1 else nullcontext(), connection.cursor() as cursor:
        cursor.executemany(sql, rows)


def _insert(engine: Engine) -> str:
    quote = engine.connection.ops.quote_name
    names = ", ".join(map(quote, NewJob._fields))
    values = ", ".join(["%s"] * len(NewJob._fields))
    return f"INSERT INTO {quote(Job._meta.db_table)} ({names}) VALUES ({values})"


def _plain(job: NewJob) -> NewJob:
    # A driver may write an enum by its name.
    return job._replace(status=str(job.status))  # type: ignore[arg-type]
