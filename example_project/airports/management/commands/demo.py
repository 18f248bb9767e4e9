"""`manage.py demo`: run the example's jobs to the end, stop some that hang, and say what came of all."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from example_project.airports.demo import screen
from example_project.airports.demo.chapters import Chapters, Surprise
from example_project.airports.demo.crew import Crew, CrewGone
from example_project.airports.demo.database import NoDatabase, prepare
from example_project.hanging.jobs import CROWD
from example_project.servers import both
from example_project.settings import HOME

RUNWORKER = ("runworker", "--processes", "2", "--exclude", CROWD)


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
        """Plan, work, sum up, stop what hangs; exit 0 only when everything went as expected."""
        if workers < 1:
            raise CommandError(f"--workers must be 1 or more, not {workers}")
        try:
            prepare()
            self.check()
            self._chapters(workers, timeout=timeout)
        except KeyboardInterrupt:
            print("Stopped. Run the demo again: it continues here.")
            sys.exit(130)
        except NoDatabase as error:
            raise CommandError(screen.no_database(error)) from error
        except (TimeoutError, CrewGone, Surprise) as error:
            raise CommandError(str(error)) from error

    def _chapters(self, workers: int, *, timeout: float) -> None:
        with both.running() as environment:
            crew = Crew(HOME / "demo-worker.log", [RUNWORKER] * workers, environment=environment)
            chapters = Chapters(crew, timeout=timeout)
            chapters.plan()
            print(screen.starting(workers, RUNWORKER), flush=True)
            with crew:
                chapters.work()
                chapters.stop_by_limit()
                chapters.stop_one_of_eight()
                chapters.stop_by_hand()
        if any(crew.exit_codes):
            raise CrewGone(f"asked to stop, the workers ended with {crew.exit_codes}; see {crew.log}")
        print(screen.what_next())
