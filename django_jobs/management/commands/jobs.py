"""`manage.py jobs`: look at the jobs, and change them, from a shell or a script."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, router

from django_jobs.engines.advice import sentence
from django_jobs.engines.transient import is_transient
from django_jobs.management.jobs import SUBCOMMANDS
from django_jobs.management.jobs.answers import one_line, to_json
from django_jobs.management.readiness import obstacle
from django_jobs.models import Job


class Command(BaseCommand):
    """Ask one question about the jobs, or change some of them.

    Exit codes: 0 answered or done, 1 no such job (or another error, said in one line), 2 wrong usage.
    """

    # Some of Django's own checks connect, and fail with a traceback where this says a sentence.
    requires_system_checks = ("django_jobs",)
    help = "Looks at the background jobs and changes them. Exit codes: 0 done, 1 no such job, 2 wrong usage."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add each subcommand with its own arguments and `--json`."""
        subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="subcommand")
        for name, subcommand in SUBCOMMANDS.items():
            subparser = subparsers.add_parser(name, help=subcommand.help, description=subcommand.help)
            subparser.add_argument(
                "--json", action="store_true", dest="as_json", help="print JSON for scripts"
            )
            subcommand.add_arguments(subparser)

    def handle(self, *args: Any, subcommand: str, as_json: bool = False, **options: Any) -> None:
        """Print the answer of the chosen subcommand."""
        alias = router.db_for_write(Job)
        try:
            answer = SUBCOMMANDS[subcommand].answer({**options, "as_json": as_json})
        except Error as error:
            said = one_line(f"the database fails: {sentence(error, alias)}", width=400)
            raise CommandError((None if is_transient(error) else obstacle(alias)) or said) from error
        self.stdout.write(to_json(answer.data) if as_json else answer.text)
