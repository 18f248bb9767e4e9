"""What jobs say of themselves while they run: written beside the job, under its fence."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django_jobs.engines.portable.batches import batches
from django_jobs.engines.rows import Held, Noted
from django_jobs.engines.transient import undid_only_rows
from django_jobs.models import Job, JobNote
from django_jobs.states import FINAL, Status

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from django_jobs.engines.base import Engine

logger = logging.getLogger("django_jobs.engines")

WRITTEN = ["token", "progress_current", "progress_total", "progress_note", "meta", "log", "updated_at"]


def note(engine: Engine, notes: Sequence[Noted]) -> None:
    """Write the notes of runs that are still ours; one that cannot be stored is dropped, and said."""
    if not notes:
        return
    with engine.transaction():
        for part in batches(sorted(notes, key=lambda one: one.held)):
            if not _stored(engine, part):
                for one in part:
                    if not _stored(engine, [one]):
                        logger.error(
                            "What job %s says of itself cannot be stored and is dropped", one.held.id
                        )


def _stored(engine: Engine, notes: Sequence[Noted]) -> bool:
    try:
        with engine.transaction():
            _write(engine, notes)
    except Exception as error:  # drivers refuse values with ValueError and OverflowError as well
        if not undid_only_rows(error, engine.connection):
            raise
        return False
    return True


def _write(engine: Engine, notes: Sequence[Noted]) -> None:
    # The jobs first and locked, as acks do: nobody settles one between this look and the write.
    running = Job.objects.using(engine.alias).filter(pk__in=[one.held.id for one in notes])
    running = running.filter(status=Status.RUNNING).order_by("id").select_for_update()
    ours = set(running.values_list("pk", "claim_token"))
    rows = [_row(one) for one in notes if one.held in ours]
    # MariaDB and MySQL take whichever key is hit, and may not be told one.
    told = engine.connection.features.supports_update_conflicts_with_target
    JobNote.objects.using(engine.alias).bulk_create(
        rows, update_conflicts=True, update_fields=WRITTEN, unique_fields=["job"] if told else None
    )


def _row(noted: Noted) -> JobNote:
    progress, meta, log = noted.note
    return JobNote(
        job_id=noted.held.id,
        token=noted.held.token,
        progress_current=progress and progress.current,
        progress_total=progress and progress.total,
        progress_note=progress.note if progress else "",
        meta=meta,
        log=log,
        updated_at=noted.at,
    )


def metas(engine: Engine, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Read them in one query; those that hold no text, which SQLite can, count as not saved."""
    saved = [
        row
        for part in batches(ids)
        for row in _notes(engine, part).filter(meta__isnull=False).values_list("job", "meta")
    ]
    return {job_id: meta for job_id, meta in saved if isinstance(meta, str)}


def logs(engine: Engine, held: Sequence[Held]) -> dict[Held, str]:
    """Return what these runs have logged so far, none of the others."""
    rows = [
        row
        for part in batches(held)
        for row in _notes(engine, [one.id for one in part]).values_list("job", "token", "log")
    ]
    return {Held(job_id, token): log for job_id, token, log in rows if log}


def begin_anew(engine: Engine, ids: Sequence[UUID]) -> None:
    """Forget how far these jobs had come, of those that are final; what they saved of themselves stays."""
    for part in batches(sorted(set(ids))):
        noted = list(_notes(engine, part).values_list("pk", flat=True))
        # The jobs first, as acks and prunes take them: nobody then waits for the other in a ring.
        jobs = Job.objects.using(engine.alias).filter(pk__in=noted, status__in=sorted(FINAL))
        final = jobs.order_by("id").select_for_update().values_list("pk", flat=True)
        _notes(engine, list(final)).update(
            progress_current=None, progress_total=None, progress_note="", log=None
        )


def _notes(engine: Engine, ids: Sequence[UUID]) -> QuerySet[JobNote]:
    return JobNote.objects.using(engine.alias).filter(pk__in=ids)
