"""One run of a job."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_jobs.models import sound
from django_jobs.models.job import Job
from django_jobs.models.primary import PrimaryManager

OUTCOME_LABELS = [
    ("completed", _("completed")),
    ("failed", _("failed")),
    ("timed out", _("timed out")),
    ("crashed", _("crashed")),
    ("cancelled", _("cancelled")),
    ("interrupted", _("interrupted")),
]


class Attempt(models.Model):
    """One run of a job, written with its ack or by the rescuer; `number` is 1-based within the round."""

    # No constraint in the database: children are pruned before their job, in batches of their own.
    job = models.ForeignKey(
        Job, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name=_("job")
    )
    token = sound.BigIntegerField(_("claim token"))
    round = sound.IntegerField(_("round"))
    number = sound.IntegerField(_("number"))
    outcome = sound.CharField(_("outcome"), max_length=12, choices=OUTCOME_LABELS)
    worker_id = sound.CharField(_("worker"), max_length=100)
    started_at = sound.DateTimeField(_("started at"), null=True)
    finished_at = sound.DateTimeField(_("finished at"))
    log = sound.TextField(_("log"), null=True)

    objects = PrimaryManager["Attempt"]()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        default_permissions = ("view",)
        constraints = [
            # One claim, one run, one row: an ack cannot be written twice.
            models.UniqueConstraint(fields=["job", "token"], name="django_jobs_one_ack"),
        ]

    def __str__(self) -> str:
        return f"{self.round}.{self.number} {self.outcome}"

    @property
    def duration(self) -> float | None:
        """Seconds from start to end; None where the start is not known."""
        return (self.finished_at - self.started_at).total_seconds() if self.started_at else None
