"""How far the jobs are: a bar that moves on a terminal with rich, a line now and then elsewhere."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from example_project.airports.demo import screen
from example_project.airports.demo.tally import Progress

AWAY = "The database does not answer. The jobs wait for it, and so does the demo."
BACK = "The database answers again. The jobs go on."
QUARTERS = 4


class Bar(Protocol):
    """What shows a progress; `alive` is entered for as long as it does."""

    @property
    def alive(self) -> AbstractContextManager[object]: ...
    def update(self, now: Progress) -> None:
        """Show how far the jobs are now."""


class RichBar:
    """A bar that moves; what is printed meanwhile appears above it."""

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.progress import Progress as RichProgress

        text = TextColumn("{task.description}")
        columns = (SpinnerColumn(), text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.alive = RichProgress(*columns, transient=True)
        self._task = self.alive.add_task("jobs", total=None)

    def update(self, now: Progress) -> None:
        """Move the bar."""
        self.alive.update(
            self._task, completed=now.final, total=now.total, description=f"{now.running} running"
        )


class PlainBar:
    """A line each time another quarter of the jobs is final."""

    def __init__(self) -> None:
        self.alive: AbstractContextManager[object] = nullcontext()
        self._quarter = 0

    def update(self, now: Progress) -> None:
        """Print a line if there is something new to say."""
        quarter = now.final * QUARTERS // now.total
        if quarter > self._quarter:
            self._quarter = quarter
            print(f"  {now.final} of {now.total} jobs are final, {now.running} running", flush=True)


def bar() -> Bar:
    """Return the best bar that can be shown here."""
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return PlainBar()
    try:
        return RichBar()
    except ImportError:
        return PlainBar()


class Shown:
    """The bar while the jobs run, and above it what happens to workers and database."""

    def __init__(self, bar: Bar) -> None:
        self.bar = bar
        self._away = False
        self.left: int | str = "the"

    def advance(self, now: Progress | None) -> None:
        """Bring the bar to where the jobs are; None says that the database does not answer."""
        if (now is None) is not self._away:
            self._away = now is None
            print(AWAY if self._away else BACK, flush=True)
        if now is not None:
            self.left = now.total - now.final
            self.bar.update(now)

    def killed(self, code: int, *, lease: float) -> None:
        """Say that a worker is gone and what happens now."""
        rescued = f"What it was running is rescued within {lease:g} s."
        print(f"{screen.killed(code, who='A worker')} {rescued}", flush=True)
