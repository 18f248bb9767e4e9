"""When a stored result is to be removed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_jobs.models.job import Job
from django_jobs.models.primary import PrimaryManager


class ResultExpiry(models.Model):
    """When the result of a completed job is to be removed; only jobs with a `result_ttl` have one."""

    # Beside the job, whose rows are many and whose indexes are few: most jobs keep their result.
    job = models.OneToOneField(
        Job, models.DO_NOTHING, db_constraint=False, primary_key=True, verbose_name=_("job")
    )
    expires_at = models.DateTimeField(_("expires at"), db_index=True)

    objects = PrimaryManager["ResultExpiry"]()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("result expiry")
        verbose_name_plural = _("result expiries")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.job_id} {self.expires_at}"
