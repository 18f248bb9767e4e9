"""The Django project that every Django peer is measured in, ours too: same settings, same durability."""

from __future__ import annotations

import json
import os
import sys

from benchmarks.peers.inside.peer import Peer

SETTINGS = "benchmarks.peers.inside.django_settings"


def set_up(*apps: str, settings: str = SETTINGS, **more: object) -> None:
    """Set Django up with these apps and more settings, here and in the processes started from here."""
    import django
    from django.apps import apps as registry

    if registry.ready:  # a worker, which has come here to import the job
        return
    os.environ["BENCH_DJANGO"] = json.dumps({"INSTALLED_APPS": apps, **more})
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    django.setup()


def manage(command: str, *arguments: str) -> list[str]:
    """Return the command line of a management command."""
    return [sys.executable, "-m", "django", command, *arguments]


class DjangoPeer(Peer):
    """A peer whose tables come with migrations."""

    def set_up(self) -> None:
        """Migrate."""
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
