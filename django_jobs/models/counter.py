"""How many runs ended how, minute by minute."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_jobs.models.names import NameField
from django_jobs.models.summaries import CounterQuerySet


class Counter(models.Model):
    """The runs of one function from one queue that ended in one way within one minute.

    Written with the acks by one worker only, because a row that several share costs them a multiple of the
    time; a duty folds the rows of closed minutes into one whose `worker_id` is empty.
    """

    minute = models.DateTimeField(_("minute"))
    worker_id = models.CharField(_("worker"), max_length=100)
    function = NameField(_("function"), max_length=255)
    queue = NameField(_("queue"), max_length=100)
    outcome = models.CharField(_("outcome"), max_length=12)
    runs = models.IntegerField(_("runs"))
    queue_seconds = models.FloatField(_("seconds in the queue"))
    run_seconds = models.FloatField(_("seconds of running"))
    # JSON objects: bucket → how many. Text, since each vendor's JSON is another.
    queue_histogram = models.TextField(_("histogram of seconds in the queue"))
    run_histogram = models.TextField(_("histogram of seconds of running"))

    objects = CounterQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("counter")
        verbose_name_plural = _("counters")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["worker_id", "minute", "function", "queue", "outcome"],
                name="django_jobs_one_counter",
            )
        ]

    def __str__(self) -> str:
        return f"{self.minute:%H:%M} {self.function} {self.outcome}: {self.runs}"
