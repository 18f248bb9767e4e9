"""Model instances travel as app, model and key, and are read again at run time."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import router
from django.db.models import Model
from django.utils.connection import ConnectionDoesNotExist

from django_jobs.exceptions import SerializationError


def key_of(instance: Model) -> list[Any]:
    """Return what finds a saved instance again: its model, its key, its database.

    Raises:
        ValueError: it was never saved.
    """
    label = instance._meta.label_lower
    if instance.pk is None or instance._state.adding:
        raise ValueError(f"this {label} is not saved yet, so no job could find it")
    # The alias one writes to: a replica may not have it yet when the job starts.
    return [label, instance.pk, router.db_for_write(type(instance), instance=instance)]


def load(key: Any) -> Model:
    """Read the instance again.

    Raises:
        SerializationError: it, its model or its database no longer exists.
    """
    label, pk, alias = key
    try:
        instance: Model = apps.get_model(label)._base_manager.using(alias).get(pk=pk)
        return instance
    except (ObjectDoesNotExist, LookupError, ConnectionDoesNotExist, ValidationError, ValueError) as error:
        raise SerializationError(f"{label} with the key {pk!r} does not exist any more") from error
