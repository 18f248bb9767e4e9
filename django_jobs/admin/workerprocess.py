"""The list of workers, and of those that were killed and are not forgotten yet."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_jobs.admin import formats
from django_jobs.admin.readonly import ReadOnlyAdmin
from django_jobs.models import WorkerProcess


@admin.register(WorkerProcess)
class WorkerProcessAdmin(ReadOnlyAdmin[WorkerProcess]):
    """Workers, those first that were seen last."""

    ordering = ("-seen_at", "id")
    list_display = ("called", "seen", "serves", "slots", "host", "pid", "started")
    fields = ("called", "serves", "slots", "host", "pid", "version", "started", "seen")

    @admin.display(description=_("worker"))
    def called(self, worker: WorkerProcess) -> SafeString | str:
        """Show the id."""
        return formats.code(worker.id)

    @admin.display(description=_("serves"))
    def serves(self, worker: WorkerProcess) -> SafeString | str:
        """Show which queues."""
        return formats.text(worker.queues)

    @admin.display(description=_("host"))
    def host(self, worker: WorkerProcess) -> SafeString | str:
        """Show where it runs."""
        return formats.text(worker.hostname)

    @admin.display(description=_("started"))
    def started(self, worker: WorkerProcess) -> SafeString | str:
        """Show since when."""
        return formats.moment(worker.started_at)

    @admin.display(description=_("last seen"))
    def seen(self, worker: WorkerProcess) -> SafeString | str:
        """Show when it was last heard of."""
        return formats.moment(worker.seen_at)
