"""The database router for a queue on an alias of its own."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from django_jobs.conf import conf

APP = "django_jobs"


class JobsRouter:
    """Keeps the tables of jobs on the alias that `DJANGO_JOBS["DATABASE"]` names, and all others off it.

    Without that setting it has no opinion, and none about other models unless the alias is one for
    jobs alone. Whatever a router that is listed before it says goes first.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        """Return the alias for models of jobs: never a replica."""
        return self.db_for_write(model, **hints)

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        """Return the alias for models of jobs."""
        return conf().DATABASE if model._meta.app_label == APP else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Let tables of jobs be made on the alias only, and no others be made there."""
        alias = conf().DATABASE
        if alias is None:
            return None
        if app_label == APP:
            return db == alias
        return False if db == alias != DEFAULT_DB_ALIAS else None
