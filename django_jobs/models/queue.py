"""What is special about a queue: a row only where there is something to say."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_jobs.models import sound
from django_jobs.models.names import NameField
from django_jobs.models.primary import PrimaryManager


class Queue(models.Model):
    """A queue that is paused; any other needs no row, nor does enqueueing to this one."""

    name = NameField(_("name"), max_length=100, primary_key=True)
    paused_at = sound.DateTimeField(_("paused at"), null=True)

    objects = PrimaryManager["Queue"]()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        default_permissions = ("view",)
        permissions = [
            ("pause_queue", "Can pause and resume queues"),
            ("purge_queue", "Can remove all jobs of a queue"),
        ]

    def __str__(self) -> str:
        return self.name
