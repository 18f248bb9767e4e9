"""Receivers of signals in a worker's project, connected as its tests wish; each writes to a file."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from django.contrib.auth.models import Group
from django.dispatch import Signal

from django_jobs import signals
from tests.jobs_that_misbehave import write_line

PATH = os.environ.get("TEST_RECEIVERS", "")
NAMES = {name: signal for name, signal in vars(signals).items() if isinstance(signal, Signal)}
_kept = []  # signals hold their receivers weakly


def _connect(name: str) -> None:
    def hear(sender: Any, **told: Any) -> None:
        job = told.get("job")
        told.pop("signal")
        words = [f"{key}={_short(value)}" for key, value in sorted(told.items()) if key != "job"]
        write_line(PATH, name, job.id if job else "-", getattr(sender, "name", "-"), os.getpid(), *words)

    NAMES[name].connect(hear)
    _kept.append(hear)


def _short(value: Any) -> str:
    return str(getattr(value, "exception_type", value)).replace(" ", "_")


def raises(**_: Any) -> None:
    """Be broken."""
    raise RuntimeError("a broken receiver")


def exits(**_: Any) -> None:
    """End the program, or what it takes for it."""
    raise SystemExit(3)


def dies(**_: Any) -> None:
    """End the process at once."""
    os._exit(3)


def hangs(**_: Any) -> None:
    """Take for ever, though in Python."""
    while True:
        time.sleep(0.01)


def hangs_hard(**_: Any) -> None:
    """Take for ever and hear nothing."""
    sum(range(10**13))


def forks(**_: Any) -> None:
    """Come back twice."""
    os.fork()


async def awaits(job: Any, **_: Any) -> None:
    """Be a coroutine."""
    await asyncio.sleep(0)
    write_line(PATH, "awaited", job.id)


def leaves_open(job: Any, **_: Any) -> None:
    """Write in a transaction that nobody ends, and say what of others' is to be seen."""
    write_line(PATH, "groups", job.id, Group.objects.count())
    from django.db import transaction

    transaction.set_autocommit(False)
    Group.objects.create(name=str(job.id))


for each in os.environ.get("TEST_HEARD", "").split():
    _connect(each)
for each in os.environ.get("TEST_MISBEHAVING", "").split():
    of, how = each.split(":")
    NAMES[of].connect(globals()[how])
