"""How the page of a job is laid out: what a person looks for comes first, and nothing says nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from django_jobs.admin import job_cells as cells
from django_jobs.admin import note_cells as said
from django_jobs.models import Job
from django_jobs.states import Status

# Of the fieldsets that come before the attempts: where the job stands. What was enqueued comes after them.
AHEAD = "jobs-ahead"

Fieldset = tuple[Any, Any]

FIELDSETS: tuple[Fieldset, ...] = (
    (
        None,
        {
            "fields": (
                (cells.state, cells.attempts, cells.place),
                (cells.ended, cells.due, cells.started, cells.holder, cells.wish),
                cells.reason,
                cells.error,
                cells.result,
            ),
            "classes": (AHEAD,),
        },
    ),
    (
        _("Said by the job"),
        {"fields": ((said.progress, said.said_at), said.log, said.meta), "classes": (AHEAD,)},
    ),
    (
        _("Enqueued"),
        {
            "fields": (
                (cells.function, cells.job_id),
                (cells.created, cells.time_limit, cells.rounds, cells.interruptions),
                "replay",
                cells.arguments,
                cells.options,
            )
        },
    ),
)

# What is shown only of a job that has it. All else is shown of every job.
SAYS: dict[Any, Callable[[Job], object]] = {
    cells.ended: lambda job: job.is_final,
    cells.due: lambda job: not job.is_final,
    cells.started: lambda job: job.started_at,
    cells.holder: lambda job: job.worker_id,
    cells.wish: lambda job: job.cancel_requested,
    cells.reason: lambda job: job.reason,
    cells.error: lambda job: job.error,
    # Of a completed job one wants to read that there is none.
    cells.result: lambda job: job.result_data is not None or job.status == Status.COMPLETED,
    cells.rounds: lambda job: job.round > 1,
    cells.interruptions: lambda job: job.interruptions,
    cells.options: lambda job: job.options,
    said.progress: lambda job: (note := said.note_of(job)) and note.progress,
    said.said_at: said.note_of,
    said.log: said.log_of,
    said.meta: lambda job: (note := said.note_of(job)) and note.meta,
    "replay": lambda job: job.replay_of or job.replayed_as,
}


def of(job: Job, fieldsets: Iterable[Fieldset]) -> list[Fieldset]:
    """Return the fieldsets with what there is to say of a job, without those that are empty then."""
    kept = [(name, {**options, "fields": _rows(job, options["fields"])}) for name, options in fieldsets]
    return [(name, options) for name, options in kept if options["fields"]]


def ahead(fieldsets: Iterable[Fieldset]) -> int:
    """Return after how many of the page's fieldsets the attempts come; at least after the first."""
    return max(1, sum(AHEAD in options.get("classes", ()) for _name, options in fieldsets))


def _rows(job: Job, rows: Iterable[Any]) -> list[Any]:
    lines = [row if isinstance(row, (list, tuple)) else (row,) for row in rows]
    kept = [tuple(cell for cell in line if cell not in SAYS or SAYS[cell](job)) for line in lines]
    return [line if len(line) > 1 else line[0] for line in kept if line]
