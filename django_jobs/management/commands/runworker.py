"""`manage.py runworker`: a thin door to the worker."""

from __future__ import annotations

import logging
from argparse import SUPPRESS, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import router

from django_jobs.engines import engine_for
from django_jobs.exceptions import JobsError
from django_jobs.management.readiness import obstacle
from django_jobs.models import Job
from django_jobs.options import checks
from django_jobs.recycling import Recycling
from django_jobs.worker.options import START_METHODS, WorkerOptions
from django_jobs.worker.queue_list import ANY, QueueList
from django_jobs.worker.worker import Worker

# More runners than this could fill the socket between parent and nursery with one round of orders.
MOST_PROCESSES = 200
# The parent looks at all slots many times a second.
MOST_SLOTS = 1000
# How long the look at the database may take before the worker starts without it (seconds).
LOOK = 3.0

_LEVELS = {0: logging.WARNING, 1: logging.INFO, 2: logging.DEBUG, 3: logging.DEBUG}


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        try:
            checks.queue("", name.replace(ANY, "x"))
        except ValueError:
            # It names no queue: its worker would sit idle and say nothing.
            raise ArgumentTypeError(f"{text!r} is not a list of queue names like a,b*") from None
    return names


def _worker_id(text: str) -> str:
    try:
        return checks.label(80, " ")("", text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a name of 1 to 80 printable characters") from None


def _channel(text: str) -> str:
    raise ArgumentTypeError(
        f"{text!r} is no option. Queues are named with --queues 'a,b*', in quotes. Channels has a runworker "
        "too: to run that one, list 'channels' before 'django_jobs' in INSTALLED_APPS, and start this one "
        "as `manage.py jobs_worker`"
    )


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number ≥ 1")
    return int(text)


def _processes(text: str) -> int:
    if (processes := _count(text)) > MOST_PROCESSES:
        raise ArgumentTypeError(f"{text} is more than {MOST_PROCESSES}; start several workers instead")
    return processes


def _threads(text: str) -> int:
    if (threads := _count(text)) > MOST_SLOTS:
        raise ArgumentTypeError(f"{text} is more than {MOST_SLOTS}; start several workers instead")
    return threads


def _memory(text: str) -> int | None:
    try:
        return checks.memory("", text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not an amount of memory like 512M or 2G, at least 1M") from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a number of seconds ≥ 0")
    return seconds


def _interval(text: str) -> float:
    seconds = _seconds(text)
    if seconds < 0.01:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds ≥ 0.01")
    return seconds


class Command(BaseCommand):
    """Run jobs until told to stop."""

    # Some of Django's own checks connect, and would end the worker that is to wait for its database.
    requires_system_checks = ("django_jobs",)
    help = "Run background jobs. TERM or Ctrl-C lets running jobs finish, a second one stops them."
    _whole_process = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("channels", nargs="*", type=_channel, help=SUPPRESS)
        parser.add_argument(
            "--queues",
            type=_names,
            default=[],
            metavar="A,B*",
            help="serve only these queues",
        )
        parser.add_argument(
            "--exclude", type=_names, default=[], metavar="C*", help="never serve these queues"
        )
        parser.add_argument(
            "--processes", type=_processes, default=2, help="how many processes run jobs (default 2)"
        )
        parser.add_argument(
            "--threads", type=_threads, default=1, help="how many jobs each of them runs at once (default 1)"
        )
        parser.add_argument("--burst", action="store_true", help="end when nothing is due any more")
        parser.add_argument("--max-jobs", type=_count, help="end after so many jobs")
        parser.add_argument("--max-seconds", type=_interval, help="end after so many seconds")
        parser.add_argument(
            "--max-jobs-per-runner",
            type=_count,
            metavar="N",
            help="replace each process that runs jobs after its N-th job",
        )
        parser.add_argument(
            "--max-memory",
            type=_memory,
            metavar="512M",
            help="replace a process that runs jobs when it occupies more than this after one",
        )
        parser.add_argument(
            "--poll-interval",
            type=_interval,
            help="seconds between looks at a queue that seems empty (POLL_INTERVAL)",
        )
        parser.add_argument(
            "--grace", type=_seconds, help="seconds that running jobs may go on at shutdown (SHUTDOWN_GRACE)"
        )
        parser.add_argument(
            "--start-method",
            choices=START_METHODS,
            help="how runners are made (default: fork, exec where start-up left threads)",
        )
        parser.add_argument(
            "--worker-id",
            type=_worker_id,
            metavar="NAME",
            help="what this worker is called in lists and logs, before a random end (default: host and pid)",
        )
        parser.add_argument(
            "--health-file",
            metavar="PATH",
            help="a file that is written every 5 s while the worker is well, and removed when it stops",
        )

    def run_from_argv(self, argv: list[str]) -> None:
        """Run as the whole of a process, not called from within one that goes on."""
        self._whole_process = True
        super().run_from_argv(argv)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one worker."""
        plan = WorkerOptions(
            **{name: options[name] for name in ("queues", "exclude", "processes", "burst", "max_jobs")},
            **{name: options[name] for name in ("poll_interval", "grace", "start_method", "worker_id")},
            **{name: options[name] for name in ("threads", "max_seconds", "health_file")},
            recycling=Recycling(options["max_jobs_per_runner"], options["max_memory"]),
            log_level=_LEVELS[options["verbosity"]],
            whole_process=self._whole_process,
        )
        if plan.processes * plan.threads > MOST_SLOTS:
            raise CommandError(
                f"--processes {plan.processes} with --threads {plan.threads} are more than {MOST_SLOTS} jobs "
                "at once; start several workers instead"
            )
        if QueueList(names=plan.queues, exclude=plan.exclude).serves_nothing:
            raise CommandError("--exclude leaves no queue of --queues to serve")
        alias = router.db_for_write(Job)
        engine_for(alias).limit_waits(seconds=LOOK)
        # It would say "no such table" and wait for ever.
        if reason := obstacle(alias):
            raise CommandError(reason)
        try:
            Worker(plan).run()
        except JobsError as error:
            raise CommandError(str(error)) from error
