"""The list of jobs, and the page that tells everything about one."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_jobs import masking
from django_jobs.admin import filters, formats, job_actions, job_layout
from django_jobs.admin import job_cells as cells
from django_jobs.admin.acting import ActingAdmin
from django_jobs.admin.history import history_of
from django_jobs.models import Job
from django_jobs.models.queries import named
from django_jobs.states import Status

PAYLOAD = ("args", "options", "result_data", "error")
TROUBLE = 160


@admin.register(Job)
class JobAdmin(ActingAdmin[Job]):
    """Jobs, newest first; of one status, those first that came into it last."""

    actions = tuple(getattr(job_actions, name) for name in job_actions.VERBS)

    list_display = ("job", cells.standing, cells.place, cells.times)
    list_display_links = None
    list_filter = (filters.StatusFilter, filters.QueueFilter, filters.FunctionFilter)
    search_fields = ("function",)
    search_help_text = _(
        "A job's whole id, or a part of its function's name (looked for in the newest 10,000)."
    )
    # The stubs know names only; Django takes functions as well.
    fieldsets: ClassVar[Any] = job_layout.FIELDSETS
    hints = job_actions.HINTS
    empty = _("No job is stored: one is listed here as soon as it is enqueued.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Leave the payload out: a page of the list would carry megabytes of it."""
        # One character more than is shown tells whether there are more.
        start = Substr("error", 1, TROUBLE + 1)
        return super().get_queryset(request).defer(*PAYLOAD).annotate(error_start=start)

    def get_fieldsets(self, request: HttpRequest, obj: Job | None = None) -> Any:
        """Leave out what there is nothing to say about."""
        fieldsets = super().get_fieldsets(request, obj)
        return job_layout.of(obj, fieldsets) if obj else fieldsets

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Job | None:
        """Return a job with its payload, by one query more, as this person may see it."""
        job = super().get_object(request, object_id, from_field)
        try:
            if job is not None:
                job.refresh_from_db(using=job._state.db, fields=PAYLOAD)
        except Job.DoesNotExist:  # pruned between the two queries
            return None
        if job is not None:
            # Here, not where it is shown: so no page, nor one that is built on this class, can forget it.
            may_see = self.has_view_payload_permission(request)
            job.result_data = masking.shown_result(job, may_see=may_see)
            job.args = masking.shown_args(job, may_see=may_see)
        return job

    def actions_for(self, row: Job) -> list[str]:
        """Offer what can be done to a job of this status; force only where something runs."""
        names = [name for name, verb in job_actions.VERBS.items() if row.status in verb.becomes]
        return [name for name in names if name != "force_cancel" or row.status == Status.RUNNING]

    def has_requeue_permission(self, request: HttpRequest) -> bool:
        """Return whether a person may put final jobs back in place."""
        return self.may(request, "requeue_job")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Return whether a person may make new jobs of dead letters."""
        return self.may(request, "replay_deadletter")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Return whether a person may cancel pending jobs and ask running ones to end."""
        return self.may(request, "cancel_job")

    def has_force_cancel_permission(self, request: HttpRequest) -> bool:
        """Return whether a person may end running jobs."""
        return self.may(request, "force_cancel_job")

    def has_view_payload_permission(self, request: HttpRequest) -> bool:
        """Return whether a person may see sensitive arguments and results."""
        return self.may(request, "view_payload")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Order by the index that finds the rows."""
        return ("-run_after", "-id") if request.GET.get("status") else ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        """Find one job by its id, or the newest ones by a part of their function's name."""
        term = search_term.strip()
        try:
            return (queryset.filter(pk=UUID(term)) if term else queryset), False
        except ValueError:
            return filters.newest_jobs(request, queryset).filter(named(term)), False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add what happened to the job so far."""
        job = context["original"]
        context["history"] = history_of(job)
        context["ahead"] = job_layout.ahead(context["adminform"].fieldsets)
        context["all_attempts"] = self.list_of("attempt", f"job={job.pk}", _("All attempts of this job"))
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("replay"))
    def replay(self, job: Job) -> str:
        """Link to the dead letter that the job was made of, and to the job that was made of it."""
        links = [(gettext("of {}"), job.replay_of), (gettext("as {}"), job.replayed_as)]
        said = [format_html(text, self.page_of("job", pk, pk)) for text, pk in links if pk]
        return format_html_join(", ", "{}", ((each,) for each in said)) or formats.EMPTY

    @admin.display(description=_("job"))
    def job(self, job: Job) -> str:
        """Link to the page by the function's name; add the id and, where there is one, the trouble."""
        name = self.page_of("job", job.pk, formats.code(job.function or "?"))
        trouble = getattr(job, "error_start", None) or job.reason
        return formats.stacked(name, job.pk, Truncator(trouble).chars(TROUBLE))
