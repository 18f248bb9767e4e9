"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig


class WeatherConfig(AppConfig):
    """The weather."""

    name = "example_project.weather"
    verbose_name = "Weather"
    default_auto_field = "django.db.models.BigAutoField"
