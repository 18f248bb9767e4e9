"""The list of paused queues; of any other there is no row."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_jobs.admin import formats
from django_jobs.admin.readonly import ReadOnlyAdmin
from django_jobs.models import Queue


@admin.register(Queue)
class QueueAdmin(ReadOnlyAdmin[Queue]):
    """Paused queues, by name."""

    ordering = ("name",)
    list_display = ("called", "since")
    fields = ("called", "since")

    @admin.display(description=_("paused queue"))
    def called(self, queue: Queue) -> SafeString | str:
        """Show the name."""
        return formats.code(queue.name)

    @admin.display(description=_("paused since"))
    def since(self, queue: Queue) -> SafeString | str:
        """Show when it was paused."""
        return formats.moment(queue.paused_at)
