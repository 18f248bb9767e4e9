"""Filters that stay quick: what no index finds is looked for among the newest rows only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_jobs import registry
from django_jobs.admin.paging import newest
from django_jobs.models.attempt import OUTCOME_LABELS
from django_jobs.models.error import KIND_LABELS
from django_jobs.models.job import STATUS_LABELS

SAMPLE = 2_000
MANY = 200


def newest_jobs(request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Return the newest jobs, of the status the list shows where it shows one."""
    status = request.GET.get(StatusFilter.parameter_name)
    if status:
        return newest(queryset, order="run_after", status=status)
    return newest(queryset)


class StatusFilter(admin.SimpleListFilter):
    """Jobs of one status; the index `due` finds them."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[Any]:
        """Offer every status, in the order of the life cycle."""
        return list(STATUS_LABELS)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the jobs of the chosen status."""
        return queryset.filter(status=self.value()) if self.value() else queryset


class NewestFilter(admin.SimpleListFilter):
    """A filter on a column without an index: it looks at the newest rows only."""

    among: Callable[[HttpRequest, QuerySet[Any]], QuerySet[Any]] = staticmethod(
        lambda request, queryset: newest(queryset)
    )
    parameter_name: str

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep, of the newest rows, those of the chosen value."""
        if not self.value():
            return queryset
        return self.among(request, queryset).filter(**{self.parameter_name: self.value()})


class SampledFilter(NewestFilter):
    """A filter whose choices are what a sample of the newest rows has."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the values seen, the chosen one always among them."""
        rows: QuerySet[Model] = model_admin.get_queryset(request)
        seen = set(rows.order_by("-pk").values_list(self.parameter_name, flat=True)[:SAMPLE])
        seen.update(self.known())
        names = sorted(seen)[:MANY]
        chosen = self.used_parameters.get(self.parameter_name)
        return [(name, name) for name in names] + [(chosen, chosen)] * bool(chosen and chosen not in names)

    def known(self) -> list[str]:
        """Return values to offer besides those seen."""
        return []


class QueueFilter(SampledFilter):
    """Jobs of one queue."""

    title = _("queue")
    parameter_name = "queue"
    among = staticmethod(newest_jobs)


class FunctionFilter(SampledFilter):
    """Jobs of one job function."""

    title = _("function")
    parameter_name = "function"
    among = staticmethod(newest_jobs)

    def known(self) -> list[str]:
        """Return the job functions registered here, run or not."""
        return list(registry.names())


class OutcomeFilter(NewestFilter):
    """Attempts that ended in one way."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[Any]:
        """Offer every outcome."""
        return list(OUTCOME_LABELS)


class KindFilter(NewestFilter):
    """Errors of one kind."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[Any]:
        """Offer every kind."""
        return list(KIND_LABELS)


class ExceptionTypeFilter(SampledFilter):
    """Errors of one exception type."""

    title = _("exception type")
    parameter_name = "exception_type"
