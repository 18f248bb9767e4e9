"""`manage.py demo`: run the example's jobs to the end and say what came of them."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from django_jobs.conf import conf
from example_project.airports.demo import screen
from example_project.airports.demo.plan import fresh_run, unfinished_run
from example_project.airports.demo.tally import progress, summary, surprises
from example_project.airports.demo.worker import PROCESSES, DemoWorker, WorkerGone
from example_project.airports.models import DemoRun
from example_project.settings import HOME

LOOK_EVERY = 0.1


class Command(BaseCommand):
    """Run the airport guide's jobs, or continue a run that was cut short."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --timeout."""
        parser.add_argument(
            "--timeout", type=float, default=120, help="seconds to wait for the jobs (%(default)s)"
        )

    def handle(self, *, timeout: float, **_: Any) -> None:
        """Plan, work, sum up; exit 0 only when everything went as expected."""
        HOME.mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0, interactive=False)
        console = Console()
        run = self._plan(console)
        try:
            self._work(run, console=console, timeout=timeout)
        except KeyboardInterrupt:
            console.print("Stopped. Run the demo again: it continues here.")
            sys.exit(130)
        except (TimeoutError, WorkerGone) as error:
            raise CommandError(str(error)) from error
        self._sum_up(run, console)

    def _plan(self, console: Console) -> DemoRun:
        if run := unfinished_run():
            console.print(f"Continuing the {run}: {progress(run).final} jobs are final already.")
            return run
        console.print("Planning a fresh run of the airport guide.")
        return fresh_run()

    def _work(self, run: DemoRun, *, console: Console, timeout: float) -> None:
        console.print(f"Starting `manage.py runworker --processes {PROCESSES}`.")
        deadline = time.monotonic() + timeout
        with DemoWorker(HOME / "demo-worker.log") as worker, screen.bar(console) as bar:
            while not (now := progress(run)).finished:
                screen.advance(bar, now)
                if worker.keep_alive():
                    console.print(screen.killed(worker.deaths[-1], conf().LEASE))
                if time.monotonic() > deadline:
                    raise TimeoutError(
                        f"{now.total - now.final} jobs are not final after {timeout:g} s; see {worker.log}"
                    )
                time.sleep(LOOK_EVERY)
            screen.advance(bar, now)
        if worker.exit_code:
            raise WorkerGone(f"asked to stop, the worker ended with {worker.exit_code}; see {worker.log}")

    def _sum_up(self, run: DemoRun, console: Console) -> None:
        console.print(screen.table(summary(run)))
        console.print(screen.harvest())
        if unexpected := surprises(run):
            raise CommandError("\n".join(["Not as expected:", *unexpected]))
        console.print(screen.what_next(), highlight=False, soft_wrap=True)
