"""Cancel a pending job at once; ask for a running one, which its worker ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django_jobs.engines.portable.batches import batches
from django_jobs.engines.portable.finishing import move
from django_jobs.engines.rows import Cancel, Held
from django_jobs.models import Job
from django_jobs.states import PENDING, CancelRequest, Status

if TYPE_CHECKING:
    from django_jobs.engines.base import Engine


def cancel(engine: Engine, ids: Sequence[UUID], *, now: datetime) -> int:
    """Cancel pending jobs; a running one is its worker's to stop."""
    return move(engine, ids, PENDING, status=Status.CANCELLED, run_after=now, reason="")


def ask_cancel(engine: Engine, ids: Sequence[UUID], *, force: bool) -> int:
    """Mark the running ones; a wish to force stays when somebody asks more gently later."""
    if not ids:
        return 0
    level = CancelRequest.FORCED if force else CancelRequest.ASKED
    with engine.transaction():
        return sum(_ask_cancel(engine, part, level) for part in batches(sorted(set(ids))))


def _ask_cancel(engine: Engine, ids: Sequence[UUID], level: CancelRequest) -> int:
    jobs = Job.objects.using(engine.alias).filter(pk__in=ids)
    # All of them, pending ones too: one that is claimed between this and a `cancel` in the same transaction
    # would be neither asked nor cancelled. In id order, as acks lock theirs.
    list(jobs.order_by("id").select_for_update().values_list("pk"))
    running = jobs.filter(status=Status.RUNNING, cancel_requested__lt=level)
    return running.update(cancel_requested=level)


def cancels(engine: Engine, worker_id: str) -> list[Cancel]:
    """Look through the running jobs, of which there are few."""
    running = Job.objects.using(engine.alias).filter(status=Status.RUNNING, worker_id=worker_id)
    asked = running.filter(cancel_requested__gt=CancelRequest.NONE)
    rows = asked.values_list("pk", "claim_token", "cancel_requested")
    return [
        Cancel(Held(job_id, token), level >= CancelRequest.FORCED)
        for job_id, token, level in rows
        if token is not None
    ]
