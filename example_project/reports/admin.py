"""The reports, to look at."""

from __future__ import annotations

from django.contrib import admin

from example_project.reports.models import MonthlyReport


@admin.register(MonthlyReport)
class MonthlyReportAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The reports."""

    list_display = ("month", "recipient", "written_at", "sent_at")
    readonly_fields = ("written_at", "sent_at")
