"""What the lists of attempts and of errors have in common: rows that belong to a job."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_jobs.admin import formats
from django_jobs.admin.readonly import ReadOnlyAdmin
from django_jobs.models import Job

Child = TypeVar("Child", bound=Model)


class ChildAdmin(ReadOnlyAdmin[Child]):
    """Rows of a job, newest first."""

    ordering = ("-id",)
    own_lookups = frozenset({"job", "job__exact"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Child]:
        """Read the jobs' names along.

        By a second query, not a join: rows outlive their job for a moment when it is pruned, and a
        planner must have no chance to begin with the table of jobs.
        """
        jobs = Job.objects.only("function", "status")
        return super().get_queryset(request).prefetch_related(Prefetch("job", jobs))

    @admin.display(description=_("job"))
    def of_job(self, row: Any) -> SafeString | str:
        """Link to the job, where it still is."""
        try:
            name = formats.code(row.job.function or "?")
        except ObjectDoesNotExist:
            return formats.code(str(row.job_id))
        return formats.stacked(self.page_of("job", row.job_id, name), row.job_id)

    @admin.display(description=_("attempt"))
    def which(self, row: Any) -> str:
        """Show round and number."""
        return f"{row.round}.{row.number}"

    @admin.display(description=_("worker"))
    def who(self, row: Any) -> SafeString | str:
        """Show the worker."""
        return formats.code(row.worker_id)

    @admin.display(description=_("took"))
    def took(self, row: Any) -> str:
        """Show how long the run took."""
        return formats.seconds(row.duration)
