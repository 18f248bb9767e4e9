"""The guide's database: made where there is none yet, and waited for while it is away."""

from __future__ import annotations

from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from django_jobs.models.queries import JobQuerySet
from example_project.airports.demo.tally import Progress, progress
from example_project.settings import HOME

# From where another database is created, and what it needs besides its name.
LOBBIES = {"postgresql": "postgres", "mysql": ""}
CHARACTER_SETS = {"postgresql": "ENCODING 'UTF8' TEMPLATE template0", "mysql": "CHARACTER SET utf8mb4"}


class NoDatabase(Exception):
    """The server cannot be reached; says why."""


def prepare() -> None:
    """Make the database and its tables where they are missing.

    Raises:
        NoDatabase: there is no server, or it does not let us in.
    """
    HOME.mkdir(parents=True, exist_ok=True)
    ours = connections["default"]
    try:
        ours.ensure_connection()
    except OperationalError as error:
        _create(ours, reason=error)
    call_command("migrate", verbosity=0, interactive=False)


def _create(ours: BaseDatabaseWrapper, *, reason: OperationalError) -> None:
    if ours.vendor not in LOBBIES:
        raise NoDatabase(str(reason)) from reason
    name = ours.ops.quote_name(ours.settings_dict["NAME"])
    lobby = type(ours)({**ours.settings_dict, "NAME": LOBBIES[ours.vendor]}, alias="lobby")
    try:
        with lobby.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} {CHARACTER_SETS[ours.vendor]}")
    except DatabaseError:
        # What kept us out of the database itself tells more.
        raise NoDatabase(str(reason).strip()) from reason
    finally:
        lobby.close()


def look(jobs: JobQuerySet) -> Progress | None:
    """Return how far these jobs have come, or None while the database does not answer."""
    try:
        return progress(jobs)
    except (OperationalError, InterfaceError):
        # A connection that has failed stays so; the next look opens another one.
        connections["default"].close()
        return None
