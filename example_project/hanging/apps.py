"""The app's configuration."""

from __future__ import annotations

from django.apps import AppConfig


class HangingConfig(AppConfig):
    """Jobs that hang."""

    name = "example_project.hanging"
    verbose_name = "Jobs that hang"
