"""What the demo shows: the bar, the table, and what to do next."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from django.db import connection
from django.db.models import Sum
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from example_project.airports.demo import tally
from example_project.airports.demo.worker import PROCESSES
from example_project.airports.models import Import, Thumbnail
from example_project.database import USUAL
from example_project.settings import DATABASE

NEXT = """
Two inputs are broken on purpose: a truncated photograph, whose jobs were retried and then
died, and a file in the wrong encoding, whose job died at once. The admin shows their errors.

What to do next:
  {manage} createsuperuser   make yourself a login
  {manage} runserver         then open http://127.0.0.1:8000/admin/
  {manage} jobs list         the jobs; `jobs stats` counts them, `jobs show ID` tells all of one
  {manage} demo              a fresh run; {trouble} in the middle, nothing is lost"""
AWAY = "The database does not answer. The jobs wait for it, and so does the demo."
BACK = "The database answers again. The jobs go on."


def starting(workers: int) -> str:
    """Say what is started, and where the jobs are."""
    several = f"{workers} times " if workers > 1 else ""
    return f"Starting {several}`manage.py runworker --processes {PROCESSES}` on {connection.display_name}."


def no_database(reason: Exception) -> str:
    """Say where a server was looked for, and what one can do."""
    place = connection.settings_dict
    where = f"{place['USER']}@{place['OPTIONS'].get('unix_socket') or place['HOST']}"
    return (
        f"No database for the guide as {where}: {reason}\n"
        f"Say where yours is: make demo DATABASE={connection.vendor}://USER:PASSWORD@HOST:PORT/airport_guide\n"
        "Or run it on SQLite, which needs no server: make demo"
    )


def bar(console: Console) -> Progress:
    """Return the progress bar, to be entered."""
    shown = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
    shown.add_task("jobs", total=None)
    return shown


class Shown:
    """The bar while the jobs run, and above it what happens to workers and database."""

    def __init__(self, console: Console, bar: Progress) -> None:
        self._console = console
        self._bar = bar
        self._away = False
        self.left: int | str = "the"

    def advance(self, now: tally.Progress | None) -> None:
        """Bring the bar to where the run is; None says that the database does not answer."""
        if (now is None) is not self._away:
            self._away = now is None
            self._console.print(AWAY if self._away else BACK)
        if now is not None:
            self.left = now.total - now.final
            self._update(now)

    def killed(self, code: int, *, lease: float) -> None:
        """Say that a worker is gone and what happens now."""
        how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
        self._console.print(
            f"A worker {how}. Another one takes its place; what it was running is rescued within {lease:g} s."
        )

    def _update(self, now: tally.Progress) -> None:
        running = f"{now.running} running"
        self._bar.update(self._bar.task_ids[0], completed=now.final, total=now.total, description=running)


def table(lines: Sequence[tally.Line]) -> Table:
    """Return the summary by function."""
    shown = Table(title="What came of the jobs")
    shown.add_column("function")
    for column in ("done", "retried", "dead", "time"):
        shown.add_column(column, justify="right")
    for line in lines:
        shown.add_row(
            line.function, str(line.done), str(line.retried), str(line.dead), f"{line.seconds:.1f} s"
        )
    return shown


def harvest() -> str:
    """Return what the guide holds now, in one line."""
    imported = Import.objects.aggregate(total=Sum("imported", default=0))["total"]
    rejected = sum(len(each) for each in Import.objects.values_list("rejected", flat=True))
    made = Thumbnail.objects.count()
    return f"{imported:,} airports imported, {rejected} rows rejected, {made} thumbnails made."


def what_next() -> str:
    """Return what one can do now."""
    here, python = Path.cwd(), Path(sys.executable)
    short = python.relative_to(here) if python.is_relative_to(here) else python
    trouble = (
        "kill -9 a worker" if connection.vendor == "sqlite" else "kill -9 a worker or restart the server"
    )
    return NEXT.format(manage=f"{_environment()}{short} manage.py", trouble=trouble)


def _environment() -> str:
    if connection.vendor == "sqlite":
        return ""
    # A URL holds a password, which is nothing for a screen.
    return f"AIRPORT_GUIDE_DATABASE={DATABASE if DATABASE in USUAL else 'URL'} "
