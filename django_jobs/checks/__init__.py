"""What `manage.py check` says about the project; nothing here opens a connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, register

from django_jobs.checks import commands, databases, functions, serializers, settings


@register("django_jobs")
def check(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the settings; only where they can be read, what rests on them."""
    if wrong := settings.check():
        return wrong
    return [*databases.check(), *functions.check(), *serializers.check(), *commands.check()]
