"""What a job says of itself while it runs."""

from __future__ import annotations

import math

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_jobs.models import sound
from django_jobs.models.job import Job
from django_jobs.models.primary import PrimaryManager
from django_jobs.notes import Progress


class JobNote(models.Model):
    """Progress, meta and log of the attempt that wrote last; a row only for jobs that say something."""

    # Beside the job: it is written while the job runs, and most jobs never write one.
    job = models.OneToOneField(
        Job, models.DO_NOTHING, db_constraint=False, primary_key=True, verbose_name=_("job")
    )
    token = sound.BigIntegerField(_("claim token"))
    progress_current = sound.FloatField(_("progress"), null=True)
    progress_total = sound.FloatField(_("progress total"), null=True)
    progress_note = sound.CharField(_("progress note"), max_length=200, db_default="")
    meta = sound.TextField(_("meta"), null=True)
    log = sound.TextField(_("log"), null=True)
    updated_at = sound.DateTimeField(_("updated at"))

    objects = PrimaryManager["JobNote"]()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("job note")
        verbose_name_plural = _("job notes")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.job_id)

    @property
    def progress(self) -> Progress | None:
        """How far the job said it is; None where it said nothing in this round."""
        current = _finite(self.progress_current)
        if current is None:
            return None
        return Progress(current, _finite(self.progress_total), self.progress_note)


def _finite(value: object) -> float | None:
    # SQLite holds a value of any type in any column.
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
