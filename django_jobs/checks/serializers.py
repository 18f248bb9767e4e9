"""Serializers: whether each that is named can be had, and is meant by its name."""

from __future__ import annotations

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from django_jobs import registry
from django_jobs.conf import conf
from django_jobs.options import Options
from django_jobs.serializers.formats import serializer_of


def check() -> list[CheckMessage]:
    """Return what is wrong with those of the settings and of the job functions known here."""
    wrong: list[str] = []
    owners: dict[str, str] = {}
    for given, where in _named().items():
        try:
            name = serializer_of(given).name
        except ImproperlyConfigured as error:
            wrong.append(f"{where}: {error}")
            continue
        if owners.setdefault(name, given) != given:
            wrong.append(f"{where}: {given!r} and {owners[name]!r} are both called {name!r}")
    hint = "A serializer is a class with name, dumps(value) -> bytes and loads(bytes) -> value."
    return [Error(message, hint=hint, id="django_jobs.E007") for message in wrong]


def _named() -> dict[str, str]:
    """Return what is named as a serializer, and where for the first time."""
    places = [(given, 'DJANGO_JOBS["SERIALIZERS"]') for given in conf().SERIALIZERS]
    places.append((Options.of_project().serializer, 'DJANGO_JOBS["DEFAULT_OPTIONS"]'))
    places += [(registry.find(name).options.serializer, name) for name in registry.names()]
    return dict(reversed(places))
