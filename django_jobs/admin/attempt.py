"""The list of attempts, over all jobs or of one, and the page of one attempt."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_jobs.admin import filters, formats
from django_jobs.admin.child import ChildAdmin
from django_jobs.models import Attempt


@admin.register(Attempt)
class AttemptAdmin(ChildAdmin[Attempt]):
    """Attempts, newest first."""

    list_display = ("which", "of_job", "ended_as", "ended_after", "who")
    list_display_links = ("which",)
    list_filter = (filters.OutcomeFilter,)
    fields = (
        "of_job",
        ("which", "ended_as", "took"),
        ("started", "ended", "who"),
        "errors",
        "logged",
    )
    empty = _("No attempt is stored: no job has run.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attempt]:
        """Leave the logs out: a page of the list would carry megabytes of them."""
        return super().get_queryset(request).defer("log")

    @admin.display(description=_("outcome"))
    def ended_as(self, attempt: Attempt) -> SafeString:
        """Show how the run ended."""
        return formats.badge(attempt.outcome, str(attempt.get_outcome_display()))

    @admin.display(description=_("started"))
    def started(self, attempt: Attempt) -> SafeString | str:
        """Show when the run began, where that is known."""
        return formats.moment(attempt.started_at)

    @admin.display(description=_("ended"))
    def ended(self, attempt: Attempt) -> SafeString | str:
        """Show when the run ended."""
        return formats.moment(attempt.finished_at)

    @admin.display(description=_("ended"))
    def ended_after(self, attempt: Attempt) -> SafeString:
        """Show when the run ended and, below, how long it took."""
        below = formats.seconds(attempt.duration)
        return format_html('{} <span class="jobs-below">{}</span>', self.ended(attempt), below)

    @admin.display(description=_("errors"))
    def errors(self, attempt: Attempt) -> SafeString | str:
        """Link to the errors of the job."""
        return self.list_of("joberror", f"job={attempt.job_id}", _("Errors of this job"))

    @admin.display(description=_("log"))
    def logged(self, attempt: Attempt) -> SafeString | str:
        """Show what the run logged."""
        return formats.block(attempt.log)
