"""Whole queues: which are paused. A queue has a row only while it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django_jobs.engines.portable.removing import delete_rows
from django_jobs.models import Queue

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from django_jobs.engines.base import Engine


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
