"""What a program asks of a whole queue: pause, resume, purge."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import router

from django_jobs import client
from django_jobs.engines import engine_for
from django_jobs.models import Job
from django_jobs.options import checks
from django_jobs.states import Status


def pause(name: str) -> bool:
    """Pause a queue; see `django_jobs.pause_queue`."""
    checks.queue("name", name)
    engine = engine_for(router.db_for_write(Job))
    return engine.repeated(lambda: engine.pause([name], now=client.now())) > 0


def resume(name: str) -> bool:
    """Resume a queue; see `django_jobs.resume_queue`."""
    checks.queue("name", name)
    engine = engine_for(router.db_for_write(Job))
    return engine.repeated(lambda: engine.resume([name])) > 0


def purge(name: str, *, statuses: Iterable[Status], limit: int) -> int:
    """Remove up to so many of a queue's jobs of these statuses for good, running ones never.

    Returns:
        How many; fewer than `limit` where there are no more, but for those somebody else has locked.
    """
    engine, wanted = engine_for(router.db_for_write(Job)), list(statuses)
    return engine.repeated(lambda: engine.purge(name, statuses=wanted, limit=limit))
