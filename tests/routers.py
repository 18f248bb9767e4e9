"""Routers of projects that use us."""

from __future__ import annotations

from typing import Any

from django.db.models import Model


class ReadsFromReplica:
    """Sends every read of our models to a replica, where a statement fails whichever test it is in.

    The tests' own project has it: nothing of the app may ask a replica.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        """Return the replica."""
        return "replica" if model._meta.app_label == "django_jobs" else None

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        """Return the primary, also for a row that was read from the replica."""
        return "default" if model._meta.app_label == "django_jobs" else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Leave the replica to its primary: checks of the models do not connect to it either."""
        return False if db == "replica" else None
