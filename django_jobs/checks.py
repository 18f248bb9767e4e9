"""What `manage.py check` says about the project's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.db import router
from django.utils import timezone

from django_jobs import conf
from django_jobs.engines import engine_for
from django_jobs.options import Options


@register("django_jobs")
def check_time_zone(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse naive times: a due time without a zone means another moment on another host."""
    if timezone.is_aware(timezone.now()):
        return []
    hint = "Without it a due time has no zone, and means another moment wherever the zone is another."
    return [Error("django_jobs needs USE_TZ = True", hint=hint, id="django_jobs.E001")]


@register("django_jobs")
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Say each wrong or unknown setting, and each default option that options would refuse."""
    if wrong := conf.errors():
        return [Error(message, id="django_jobs.E002") for message in wrong]
    try:
        Options.of_project()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="django_jobs.E003")]
    return []


@register("django_jobs")
def check_database(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Ask the engine of the queue's database whether it is configured well."""
    from django_jobs.models import Job

    return engine_for(router.db_for_write(Job)).check()
