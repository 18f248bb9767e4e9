"""One running worker, as it describes itself."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_jobs.conf import conf
from django_jobs.models.primary import PrimaryManager


class WorkerProcess(models.Model):
    """One `runworker`, for people to see; nothing is decided by it, rescue looks at leases alone."""

    id = models.CharField(_("id"), max_length=100, primary_key=True)
    hostname = models.CharField(_("host"), max_length=255)
    pid = models.IntegerField(_("pid"))
    # What it was told to serve, as it says it itself: "mail, reports except old".
    queues = models.TextField(_("queues"))
    slots = models.IntegerField(_("slots"))
    version = models.CharField(_("version"), max_length=40)
    started_at = models.DateTimeField(_("started at"))
    seen_at = models.DateTimeField(_("last seen at"))

    objects = PrimaryManager["WorkerProcess"]()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.id

    def is_alive(self, *, now: datetime) -> bool:
        """Return whether it has been seen within a lease of a moment of the database's clock."""
        # It is seen with each renewal of its leases, four times a lease; later its jobs go to others.
        return (now - self.seen_at).total_seconds() <= conf().LEASE
