"""What the demo says: what it starts, what came of it, and what to do next."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from django.db import connection
from django.db.models import Sum

from example_project.airports.demo.crowd import Told
from example_project.airports.models import Import, Thumbnail
from example_project.database import USUAL
from example_project.hanging.jobs import LIMIT
from example_project.servers.both import MAILBOX
from example_project.settings import DATABASE
from example_project.weather.models import Observation

NEXT = """
Some inputs are broken on purpose. A truncated photograph is tried three times; a picture that
is a decompression bomb, a file in the wrong encoding and a country whose weather needs another
key are dead at once; a country whose weather service never ends its answer is stopped by its
time limit. Others were too busy, broken or talking nonsense once, and healed, and the mail server
wanted to be asked twice: its mails, the month's report and one about the file in the wrong
encoding, are in {mail}. The admin shows all errors.

What to do next:
  {manage} serve       the admin in your browser, with a login, a worker and more jobs
  {manage} jobs list   the jobs; `jobs stats` counts them, `jobs show ID` tells all of one
  {manage} demo        a fresh run; {trouble} in the middle, nothing is lost"""
HANG = f"""
Now jobs that hang, each in its own way, under a time limit of {LIMIT:g} s:"""
CROWD = """
Now eight jobs at once in the threads of one process, and one of them hangs. They have a worker
of their own, `manage.py {command}`:"""
CROWD_ENDS = """
A thread that sleeps cannot be killed, so its process was. Of the {told.total} jobs beside it
{told.interrupted} were interrupted by that and ran again; {told.completed} have completed,
{told.charged} lost an attempt by it."""
CANCEL = """
One more hangs, under a limit of ten minutes. Somebody cancels it from a second terminal:"""
OPEN = """
The airport guide is open, on {database}:

  {url}
  user      {user}
  password  {password}

A worker runs a job every now and then: some slow, some failing, some retried, some stopped at their
limit. Their mails are in {mail}, what the processes say in {log}. Ctrl-C ends everything."""


def starting(workers: int, command: Sequence[str]) -> str:
    """Say what is started, and where the jobs are."""
    several = f"{workers} times " if workers > 1 else ""
    return f"Starting {several}`manage.py {' '.join(command)}` on {connection.display_name}."


def crowd_begins(command: Sequence[str]) -> str:
    """Say what is going to be seen of jobs in threads."""
    return CROWD.format(command=" ".join(command))


def crowd_ends(told: Told) -> str:
    """Say what became of the jobs beside the one that hung."""
    return CROWD_ENDS.format(told=told)


def open_at(url: str, user: str, password: str, *, log: Path) -> str:
    """Say where the guide is served, and who may come in."""
    places = {"mail": _short(MAILBOX), "log": _short(log)}
    return OPEN.format(database=connection.display_name, url=url, user=user, password=password, **places)


def killed(code: int, *, who: str = "A process") -> str:
    """Say that a process is gone, and how."""
    how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
    return f"{who} {how}. Another one takes its place."


def no_database(reason: Exception) -> str:
    """Say where a server was looked for, and what one can do."""
    place = connection.settings_dict
    where = f"{place['USER']}@{place['OPTIONS'].get('unix_socket') or place['HOST']}"
    return (
        f"No database for the guide as {where}: {reason}\n"
        f"Say where yours is: make demo DATABASE={connection.vendor}://USER:PASSWORD@HOST:PORT/airport_guide\n"
        "Or run it on SQLite, which needs no server: make demo"
    )


def harvest() -> str:
    """Return what the guide holds now, in one line."""
    imported = Import.objects.aggregate(total=Sum("imported", default=0))["total"]
    rejected = sum(len(each) for each in Import.objects.values_list("rejected", flat=True))
    made = Thumbnail.objects.count()
    seen = Observation.objects.count()
    return (
        f"{imported:,} airports imported, {rejected} rows rejected, "
        f"{made} thumbnails made, {seen} observations of the weather stored."
    )


def what_next() -> str:
    """Return what one can do now."""
    trouble = (
        "kill -9 a worker" if connection.vendor == "sqlite" else "kill -9 a worker or restart the server"
    )
    return NEXT.format(manage=manage(), trouble=trouble, mail=_short(MAILBOX))


def manage() -> str:
    """Return how `manage.py` of this guide is called in a shell."""
    return f"{_environment()}{_short(Path(sys.executable))} manage.py"


def _short(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _environment() -> str:
    if connection.vendor == "sqlite":
        return ""
    # A URL holds a password, which is nothing for a screen.
    return f"AIRPORT_GUIDE_DATABASE={DATABASE if DATABASE in USUAL else 'URL'} "
