"""`manage.py demo`: run the example's jobs to the end and say what came of them."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from django_jobs.conf import conf
from example_project.airports.demo import screen
from example_project.airports.demo.database import NoDatabase, look, prepare
from example_project.airports.demo.plan import fresh_run, unfinished_run
from example_project.airports.demo.tally import progress, summary, surprises
from example_project.airports.demo.worker import DemoWorkers, WorkerGone
from example_project.airports.models import DemoRun
from example_project.settings import HOME

LOOK_EVERY = 0.1


class Command(BaseCommand):
    """Run the airport guide's jobs, or continue a run that was cut short."""

    help = __doc__
    # They ask the database, which may have to be made first.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --workers and --timeout."""
        parser.add_argument("--workers", type=int, default=1, help="how many workers (%(default)s)")
        parser.add_argument(
            "--timeout", type=float, default=120, help="seconds to wait for the jobs (%(default)s)"
        )

    def handle(self, *, workers: int, timeout: float, **_: Any) -> None:
        """Plan, work, sum up; exit 0 only when everything went as expected."""
        if workers < 1:
            raise CommandError(f"--workers must be 1 or more, not {workers}")
        console = Console()
        try:
            prepare()
            self.check()
            run = self._plan(console)
            self._work(run, console=console, workers=workers, timeout=timeout)
        except KeyboardInterrupt:
            console.print("Stopped. Run the demo again: it continues here.")
            sys.exit(130)
        except NoDatabase as error:
            raise CommandError(screen.no_database(error)) from error
        except (TimeoutError, WorkerGone) as error:
            raise CommandError(str(error)) from error
        self._sum_up(run, console)

    def _plan(self, console: Console) -> DemoRun:
        if run := unfinished_run():
            console.print(f"Continuing the {run}: {progress(run).final} jobs are final already.")
            return run
        console.print("Planning a fresh run of the airport guide.")
        return fresh_run()

    def _work(self, run: DemoRun, *, console: Console, workers: int, timeout: float) -> None:
        console.print(screen.starting(workers))
        log = HOME / "demo-worker.log"
        with DemoWorkers(log, count=workers) as crew, screen.bar(console) as bar:
            self._watch(run, crew=crew, shown=screen.Shown(console, bar), timeout=timeout)
        if any(crew.exit_codes):
            raise WorkerGone(f"asked to stop, the workers ended with {crew.exit_codes}; see {log}")

    def _watch(self, run: DemoRun, *, crew: DemoWorkers, shown: screen.Shown, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not (now := look(run)) or not now.finished:
            shown.advance(now)
            for code in crew.keep_alive():
                shown.killed(code, lease=conf().LEASE)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{shown.left} jobs are not final after {timeout:g} s; see {crew.log}")
            time.sleep(LOOK_EVERY)
        shown.advance(now)

    def _sum_up(self, run: DemoRun, console: Console) -> None:
        console.print(screen.table(summary(run)))
        console.print(screen.harvest())
        if unexpected := surprises(run):
            raise CommandError("\n".join(["Not as expected:", *unexpected]))
        console.print(screen.what_next(), highlight=False, soft_wrap=True)
