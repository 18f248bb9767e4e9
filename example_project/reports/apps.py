"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """The monthly reports."""

    name = "example_project.reports"
    verbose_name = "Reports"
    default_auto_field = "django.db.models.BigAutoField"
