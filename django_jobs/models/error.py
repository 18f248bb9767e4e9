"""What went wrong in one attempt."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_jobs.models import sound
from django_jobs.models.job import Job
from django_jobs.models.primary import PrimaryManager

KIND_LABELS = [
    ("exception", _("exception")),
    ("timeout", _("timeout")),
    ("soft timeout", _("soft timeout")),
    ("crash", _("crash")),
    ("serialization", _("serialization")),
    ("storage", _("storage")),
    ("unknown function", _("unknown function")),
]


class JobError(models.Model):
    """What went wrong in one attempt of a job; kept after success and requeue."""

    job = models.ForeignKey(Job, models.DO_NOTHING, db_constraint=False, verbose_name=_("job"))
    token = sound.BigIntegerField(_("claim token"))
    round = sound.IntegerField(_("round"))
    number = sound.IntegerField(_("number"))
    kind = sound.CharField(_("kind"), max_length=20, choices=KIND_LABELS)
    exception_type = sound.CharField(_("exception type"), max_length=255)
    message = sound.TextField(_("message"))
    traceback = sound.TextField(_("traceback"))
    fingerprint = sound.CharField(_("fingerprint"), max_length=16)
    worker_id = sound.CharField(_("worker"), max_length=100)
    failed_at = sound.DateTimeField(_("failed at"))
    duration = sound.FloatField(_("duration (s)"), null=True)

    objects = PrimaryManager["JobError"]()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("job error")
        verbose_name_plural = _("job errors")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.error

    @property
    def attempt(self) -> int:
        """The attempt's index, counted from 0 within the round."""
        return self.number - 1

    @property
    def error(self) -> str:
        """Exception type and message in one line."""
        return f"{self.exception_type}: {self.message}" if self.message else self.exception_type

    @property
    def worker(self) -> str:
        """The id of the worker that ran the attempt."""
        return self.worker_id
