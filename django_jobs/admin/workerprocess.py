"""The list of workers, and of those that were killed and are not forgotten yet."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import router
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from django_jobs.admin import formats
from django_jobs.admin.readonly import ReadOnlyAdmin
from django_jobs.engines import engine_for
from django_jobs.models import Job, WorkerProcess


@admin.register(WorkerProcess)
class WorkerProcessAdmin(ReadOnlyAdmin[WorkerProcess]):
    """Workers, those first that were seen last."""

    ordering = ("-seen_at", "id")
    list_display = ("called", "state", "busy", "serves", "since")
    fields = (("standing", "seen"), ("busy", "serves"), ("started", "host", "pid", "version"))
    empty = _("No worker is running, so no job is either. Start one: python manage.py runworker")

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Look once for all workers which are alive and what they hold."""
        page = super().get_changelist_instance(request)
        page.result_list = _looked_at(list(page.result_list))
        return page

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> WorkerProcess | None:
        """Look whether it is alive and what it holds."""
        worker = super().get_object(request, *args, **kwargs)
        return _looked_at([worker])[0] if worker else None

    @admin.display(description=_("state"))
    def standing(self, worker: WorkerProcess) -> SafeString:
        """Show whether it has been seen within a lease: later its jobs go to others."""
        if getattr(worker, "alive", False):
            return formats.badge("alive", gettext("alive"))
        return formats.badge("unseen", gettext("not seen"))

    @admin.display(description=_("state"))
    def state(self, worker: WorkerProcess) -> SafeString:
        """Show whether it is alive and, below, when it was last heard of."""
        below = format_html(gettext("seen {}"), self.seen(worker))
        return format_html('{} <span class="jobs-below">{}</span>', self.standing(worker), below)

    @admin.display(description=_("running"))
    def busy(self, worker: WorkerProcess) -> str:
        """Show how many jobs it holds in how many slots."""
        running = getattr(worker, "running", 0)
        said = ngettext("%(running)d of %(slots)d slot", "%(running)d of %(slots)d slots", worker.slots)
        return said % {"running": running, "slots": worker.slots}

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
    def since(self, worker: WorkerProcess) -> SafeString:
        """Show since when it runs and, below, with which version."""
        below = gettext("version %(version)s") % {"version": worker.version}
        return format_html('{} <span class="jobs-below">{}</span>', self.started(worker), below)

    @admin.display(description=_("started"))
    def started(self, worker: WorkerProcess) -> SafeString | str:
        """Show since when."""
        return formats.moment(worker.started_at)

    @admin.display(description=_("last seen"))
    def seen(self, worker: WorkerProcess) -> SafeString | str:
        """Show when it was last heard of."""
        return formats.moment(worker.seen_at)


def _looked_at(workers: list[WorkerProcess]) -> list[WorkerProcess]:
    alias = router.db_for_write(Job)
    held = Job.objects.using(alias).held()
    # The rows' times are the database's, and this host's clock may be another.
    now = engine_for(alias).read_clock()
    for worker in workers:
        worker.running = held.get(worker.id, 0)  # type: ignore[attr-defined]
        worker.alive = worker.is_alive(now=now)  # type: ignore[attr-defined]
    return workers
