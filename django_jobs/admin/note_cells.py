"""What the page shows of what a job says of itself, a function a cell."""

from __future__ import annotations

from django.contrib.admin import display
from django.core.exceptions import ObjectDoesNotExist
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from django_jobs.admin import formats
from django_jobs.models import Job, JobNote


def note_of(job: Job) -> JobNote | None:
    """Return the job's note, read once for the page."""
    try:
        return job.jobnote
    except ObjectDoesNotExist:
        return None


def log_of(job: Job) -> str | None:
    """Return what the run under way has logged; the log of one that has ended is with its attempt."""
    note = note_of(job)
    return note.log if note and note.token == job.claim_token else None


@display(description=_("progress"))
def progress(job: Job) -> str:
    """Show how far the job is, in words and, where the whole is known, as a bar."""
    note = note_of(job)
    said = note.progress if note else None
    if said is None:
        return formats.EMPTY
    if said.fraction is None:
        return formats.text(str(said))
    # The words say the same: whoever hears the page need not hear it twice.
    bar = '<progress value="{}" aria-hidden="true"></progress> {}'
    return format_html(bar, f"{said.fraction:.3f}", formats.text(str(said)))


@display(description=_("said at"))
def said_at(job: Job) -> str:
    """Show when the job was last heard of."""
    note = note_of(job)
    return formats.moment(note.updated_at if note else None)


@display(description=_("meta"))
def meta(job: Job) -> str:
    """Show what the job keeps of itself."""
    note = note_of(job)
    return formats.stored_json(note.meta if note else None)


@display(description=_("log"))
def log(job: Job) -> str:
    """Show what the run under way has logged."""
    return formats.block(log_of(job))
