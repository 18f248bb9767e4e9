"""What the processes do that are forked for these tests; all they need is loaded before the first fork."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any


def be_worker(
    folder: str,
    log: str,
    options: tuple[str, ...],
    settings: dict[str, Any],
    environment: dict[str, str],
    begun: bool,
) -> None:
    """Be a `runworker`."""
    os.environ.update(environment)
    _begin(folder, log, settings)
    from django.core.management import execute_from_command_line

    from django_jobs.worker import limits

    limits.WORTH_A_WRITE_NS = 10**8 if begun else 10**12

    sys.argv = ["manage.py", "runworker", *options]
    execute_from_command_line(sys.argv)


def be_client(folder: str, log: str, deed: Callable[..., None], args: tuple[Any, ...]) -> None:
    """Do something; end with 3 where the database was lost over it."""
    _begin(folder, log, {})
    from django.db import Error, connection

    try:
        deed(*args)
    except (Error, connection.Database.Error) as error:  # Django closes a cursor without its own wrapper
        print(repr(error), flush=True)
        sys.exit(3)


def _begin(folder: str, log: str, given: dict[str, Any]) -> None:
    with suppress(PermissionError):  # it leads one already
        os.setsid()
    with open(log, "ab", buffering=0) as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115  it is this process's from now on
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    import_module("tests.faults.failpoints.loaded")  # it is there already
    from django.conf import settings
    from django.test.signals import setting_changed

    from tests.faults.failpoints import points

    settings.DJANGO_JOBS = {**settings.DJANGO_JOBS, **given}
    setting_changed.send(sender=None, setting="DJANGO_JOBS", value=settings.DJANGO_JOBS, enter=True)
    points.install(points.Stage(folder))
    _have_watched_leases()


def _have_watched_leases() -> None:
    """Be a worker that has watched leases which ended long ago since they were renewed last."""
    from django_jobs.duties.watch import LeaseWatch

    first = LeaseWatch._first

    def long_ago(watch: LeaseWatch, lease: Any, now: datetime) -> float:
        return watch._watched if lease.ends < now - timedelta(minutes=10) else first(watch, lease, now)

    LeaseWatch._first = long_ago  # type: ignore[method-assign]
