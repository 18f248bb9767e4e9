"""The project's settings, each by itself."""

from __future__ import annotations

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from django_jobs import conf
from django_jobs.options import Options


def check() -> list[CheckMessage]:
    """Return what is wrong."""
    return [*_time_zone(), *_settings()]


def _time_zone() -> list[CheckMessage]:
    if timezone.is_aware(timezone.now()):
        return []
    hint = "Without it a due time has no zone, and means another moment wherever the zone is another."
    return [Error("django_jobs needs USE_TZ = True", hint=hint, id="django_jobs.E001")]


def _settings() -> list[CheckMessage]:
    if wrong := conf.errors():
        return [Error(message, id="django_jobs.E002") for message in wrong]
    try:
        Options.of_project()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="django_jobs.E003")]
    return []
