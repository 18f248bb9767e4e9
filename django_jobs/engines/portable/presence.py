"""The list of workers, for people to see: who is there, and since when nobody has seen whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django_jobs.engines.portable.removing import delete_rows
from django_jobs.engines.rows import WorkerRow
from django_jobs.models import WorkerProcess

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from django_jobs.engines.base import Engine


def appear(engine: Engine, worker: WorkerRow, *, started_at: datetime, now: datetime) -> None:
    """Renew the row, or store it where there is none; wait for nobody.

    A row that someone else holds is left as it is: the worker has better things to do than to wait for
    it, and will say the same again soon.
    """
    row = _rows(engine).filter(pk=worker.id)
    with engine.transaction():
        if row.select_for_update(skip_locked=True).values_list("pk").first():
            row.update(seen_at=now)
        elif not row.exists():
            _rows(engine).bulk_create([WorkerProcess(**worker._asdict(), started_at=started_at, seen_at=now)])


def vanish(engine: Engine, worker_ids: Sequence[str]) -> int:
    """Remove these rows."""
    return delete_rows(_rows(engine).filter(pk__in=worker_ids)) if worker_ids else 0


def forget_workers(engine: Engine, *, seen_before: datetime, limit: int) -> int:
    """Remove the rows of workers that were killed; one that still lives stores its row again."""
    with engine.transaction():
        gone = _rows(engine).filter(seen_at__lt=seen_before).select_for_update(skip_locked=True)
        return vanish(engine, list(gone.values_list("pk", flat=True)[:limit]))


def _rows(engine: Engine) -> QuerySet[WorkerProcess]:
    return WorkerProcess.objects.using(engine.alias)
