"""The list of queues, those that have jobs and those that are paused, and the page of one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import router
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_jobs.admin import formats, queue_actions
from django_jobs.admin.acting import ActingAdmin
from django_jobs.engines import Engine, engine_for
from django_jobs.models import Job, Queue
from django_jobs.models.job import STATUS_LABELS
from django_jobs.serializers.limits import clean
from django_jobs.states import Status

# So many jobs of a queue and status are counted: there may be millions.
CAP = 1_000


@admin.register(Queue)
class QueueAdmin(ActingAdmin[Queue]):
    """Queues, by name. One that is not paused has no row, and is listed because it has jobs."""

    actions = (queue_actions.pause, queue_actions.resume, queue_actions.purge)
    ordering = ("name",)
    list_display = ("called", "standing", "jobs")
    fields = ("standing", "jobs")
    hints = queue_actions.HINTS
    empty = _("No queue has jobs, and none is paused.")

    def names(self) -> list[str]:
        """Return the names of all queues there are, sorted."""
        engine = self._engine()
        with_jobs = {name for status in Status for name in engine.queues_with(status)}
        return sorted(with_jobs.union(engine.paused()))

    def get_paginator(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        """Page through all queues, also through those without a row."""
        if not isinstance(queryset, QuerySet) or queryset.model is not Queue:
            return super().get_paginator(request, queryset, *args, **kwargs)
        paused = {queue.name: queue for queue in queryset}
        return Paginator([paused.get(name) or Queue(name=name) for name in self.names()], *args, **kwargs)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Count the jobs of the queues on this page."""
        page = super().get_changelist_instance(request)
        # A list of one page is read past the paginator.
        rows: Any = page.result_list if page.multi_page and not page.show_all else page.paginator.object_list
        page.result_list = self._counted(list(rows))
        return page

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Let a queue be paused by its name, also one that has no job yet."""
        context = {"may_pause": self.has_pause_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Queue | None:
        """Find a queue by its name, be it that it has jobs or that it is paused."""
        queue = super().get_object(request, object_id, from_field) or Queue(name=clean(object_id))
        (counted,) = self._counted([queue])
        return counted if queue.paused_at or any(_depth(counted).values()) else None

    def actions_for(self, row: Queue) -> list[str]:
        """Offer to pause what is not paused, to resume what is, and to purge what has jobs."""
        return ["resume" if row.paused_at else "pause"] + ["purge"] * any(_depth(row).values())

    def has_pause_permission(self, request: HttpRequest) -> bool:
        """Return whether a person may pause and resume queues."""
        return self.may(request, "pause_queue")

    def has_purge_permission(self, request: HttpRequest) -> bool:
        """Return whether a person may remove all jobs of a queue."""
        return self.may(request, "purge_queue")

    @admin.display(description=_("queue"))
    def called(self, queue: Queue) -> SafeString | str:
        """Show the name."""
        return formats.code(queue.name)

    @admin.display(description=_("state"))
    def standing(self, queue: Queue) -> SafeString | str:
        """Show whether it is paused, and since when."""
        if queue.paused_at is None:
            return formats.badge("open", gettext("open"))
        since = formats.moment(queue.paused_at)
        return format_html(gettext("{} since {}"), formats.badge("paused", gettext("paused")), since)

    @admin.display(description=_("jobs"))
    def jobs(self, queue: Queue) -> SafeString | str:
        """Show how many jobs it has of each status, with the way to them."""
        depth, labels = _depth(queue), dict(STATUS_LABELS)
        found = ((self._link(queue, status, str(labels[status])), depth[status]) for status in depth)
        items = format_html_join("", "<li>{} {}</li>", ((link, _counted(n)) for link, n in found if n))
        return format_html('<ul class="jobs-depths">{}</ul>', items) if items else formats.EMPTY

    def _link(self, queue: Queue, status: str, label: str) -> SafeString:
        query = urlencode({"status": status, "queue": queue.name})
        return self.list_of("job", query, formats.badge(status, label))

    def _counted(self, queues: list[Queue]) -> list[Queue]:
        depths = self._engine().depths([queue.name for queue in queues], cap=CAP + 1)
        for queue in queues:
            queue.depth = depths[queue.name]  # type: ignore[attr-defined]
        return queues

    def _engine(self) -> Engine:
        return engine_for(router.db_for_write(Job))


def _depth(queue: Queue) -> dict[str, int]:
    return getattr(queue, "depth", {})


def _counted(count: int) -> str:
    return f"{count:,}" if count <= CAP else f"{CAP:,}+"
