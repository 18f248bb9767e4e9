"""A second admin site, as a project with its own would make it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import path

from django_jobs.admin import AttemptAdmin, JobAdmin, JobErrorAdmin
from django_jobs.models import Attempt, Job, JobError


class HouseStyle(admin.ModelAdmin):  # type: ignore[type-arg]
    """Stands for another package's ModelAdmin."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Say that it was here."""
        response = super().changelist_view(request, extra_context)
        response["X-House-Style"] = "yes"
        return response


class HouseJobAdmin(JobAdmin, HouseStyle):
    """Both at once."""


site = admin.AdminSite(name="control")
site.register(Job, HouseJobAdmin)
site.register(Attempt, AttemptAdmin)
site.register(JobError, JobErrorAdmin)

urlpatterns = [path("control/", site.urls), path("admin/", admin.site.urls)]
