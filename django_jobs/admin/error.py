"""The list of errors, over all jobs or of one, and the page of one error."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_jobs.admin import filters, formats
from django_jobs.admin.child import ChildAdmin
from django_jobs.models import JobError


@admin.register(JobError)
class JobErrorAdmin(ChildAdmin[JobError]):
    """Errors, newest first."""

    list_display = ("failed", "of_job", "which", "what")
    list_display_links = ("failed",)
    list_filter = (filters.KindFilter, filters.ExceptionTypeFilter)
    fields = (
        "of_job",
        ("failed", "which", "took", "who"),
        ("exception", "sort"),
        "full_message",
        "full_traceback",
        "mark",
    )
    empty = _("No error is stored: no attempt of a job has failed.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobError]:
        """Leave the long texts out; the page of one error reads them."""
        start = Substr("message", 1, 200)
        return super().get_queryset(request).defer("message", "traceback").annotate(start=start)

    @admin.display(description=_("failed at"))
    def failed(self, error: JobError) -> SafeString | str:
        """Show when it failed."""
        return formats.moment(error.failed_at)

    @admin.display(description=_("kind"))
    def sort(self, error: JobError) -> str:
        """Show what kind of thing went wrong."""
        return str(error.get_kind_display()) or formats.EMPTY

    @admin.display(description=_("exception type"))
    def exception(self, error: JobError) -> SafeString | str:
        """Show the exception's class."""
        return formats.code(error.exception_type)

    @admin.display(description=_("error"))
    def what(self, error: JobError) -> SafeString:
        """Show the exception's class and how its message begins."""
        start = formats.text(getattr(error, "start", None))
        return format_html('{} <span class="jobs-below">{}</span>', formats.code(error.exception_type), start)

    @admin.display(description=_("message"))
    def full_message(self, error: JobError) -> SafeString | str:
        """Show the whole message."""
        return formats.block(error.message)

    @admin.display(description=_("traceback"))
    def full_traceback(self, error: JobError) -> SafeString | str:
        """Show the whole traceback."""
        return formats.block(error.traceback)

    @admin.display(description=_("fingerprint"))
    def mark(self, error: JobError) -> SafeString | str:
        """Show what errors of one cause have in common."""
        return formats.code(error.fingerprint)
