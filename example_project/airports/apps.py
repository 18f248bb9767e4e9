"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig


class AirportsConfig(AppConfig):
    """The airport guide."""

    name = "example_project.airports"
    verbose_name = "Airport guide"
    default_auto_field = "django.db.models.BigAutoField"
