"""Whole queues: which there are, and which are paused. A queue has a row only while it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django_jobs.engines.portable.batches import batches
from django_jobs.engines.portable.removing import delete_rows
from django_jobs.models import Job, Queue
from django_jobs.states import Status

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from django_jobs.engines.base import Engine


# Each part reads along the claim index, and no more of it than the limit.
_DEPTH = """SELECT {number} AS number, COUNT(*) FROM
    (SELECT 1 AS one FROM django_jobs_job WHERE status = %s AND queue = %s LIMIT %s) AS counted{number}"""
# SQLite takes at most 500 SELECTs in one UNION ALL.
_PARTS = 200


def queues_with(engine: Engine, status: Status) -> list[str]:
    """Hop from queue to queue along the claim index, one row each; DISTINCT would read all of them."""
    names: list[str] = []
    last: str | None = None
    while (name := _queue_after(engine, status, last)) is not None:
        names.append(name)
        last = name
    return names


def _queue_after(engine: Engine, status: Status, last: str | None) -> str | None:
    jobs = Job.objects.using(engine.alias).filter(status=status)
    if last is not None:
        jobs = jobs.filter(queue__gt=last)
    return jobs.order_by("queue").values_list("queue", flat=True).first()


def depths(engine: Engine, names: Sequence[str], *, cap: int) -> dict[str, dict[str, int]]:
    """Count every queue and status apart: one count over all would read all finished jobs."""
    found: dict[str, dict[str, int]] = {name: {} for name in names}
    pairs = [(name, status.value) for name in found for status in Status]
    for some in batches(pairs, size=_PARTS):
        parts = " UNION ALL ".join(_DEPTH.format(number=number) for number in range(len(some)))
        values = [value for name, status in some for value in (status, name, cap)]
        with engine.connection.cursor() as cursor:
            cursor.execute(parts, values)
            for number, count in cursor.fetchall():
                name, status = some[number]
                found[name][status] = count
    return found


def pause(engine: Engine, names: Sequence[str], *, now: datetime) -> int:
    """Make sure of the rows, then mark them: of two that pause a queue at once only one counts it."""
    if not names:
        return 0
    # Always in one order: two that pause the same queues would wait for each other in a ring.
    ordered = sorted(set(names))
    with engine.transaction():
        _rows(engine).bulk_create([Queue(name=name) for name in ordered], ignore_conflicts=True)
        return _rows(engine).filter(name__in=ordered, paused_at=None).update(paused_at=now)


def resume(engine: Engine, names: Sequence[str]) -> int:
    """Remove the rows: there is nothing else to say about a queue."""
    return delete_rows(_paused(engine).filter(name__in=set(names))) if names else 0


def paused(engine: Engine) -> list[str]:
    """Read the small table of queues whole."""
    return sorted(_paused(engine).values_list("name", flat=True))


def _rows(engine: Engine) -> QuerySet[Queue]:
    return Queue.objects.using(engine.alias)


def _paused(engine: Engine) -> QuerySet[Queue]:
    return _rows(engine).filter(paused_at__isnull=False)
