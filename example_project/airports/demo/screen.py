"""What the demo shows: the bar, the table, and what to do next."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

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
from example_project.airports.models import Import, Thumbnail

NEXT = """
Two inputs are broken on purpose: a truncated photograph, whose jobs were retried and then
died, and a file in the wrong encoding, whose job died at once. The admin shows their errors.

What to do next:
  {manage} createsuperuser   make yourself a login
  {manage} runserver         then open http://127.0.0.1:8000/admin/
  {manage} jobs list         the jobs; `jobs stats` counts them, `jobs show ID` tells all of one
  {manage} demo              a fresh run; kill -9 its worker in the middle, nothing is lost"""


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


def advance(shown: Progress, now: tally.Progress) -> None:
    """Bring the bar to where the run is."""
    shown.update(
        shown.task_ids[0], completed=now.final, total=now.total, description=f"{now.running} running"
    )


def killed(code: int, lease: float) -> str:
    """Say that the worker is gone and what happens now."""
    how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
    return f"The worker {how}. Another one goes on; what it was running is rescued within {lease:g} s."


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
    return NEXT.format(manage=f"{short} manage.py")
