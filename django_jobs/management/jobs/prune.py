"""`manage.py jobs prune`: remove what is old, now."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core.management.base import CommandError
from django.db import router

from django_jobs.conf import conf
from django_jobs.engines import Engine, engine_for
from django_jobs.management.jobs.answers import Answer, Subcommand
from django_jobs.management.jobs.steps import in_steps
from django_jobs.models import Job
from django_jobs.states import FINAL, Status

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
# The same hundred years that RETENTION allows.
LONGEST = 36_500 * 86_400


class Prune(Subcommand):
    """Remove final jobs that are older than RETENTION, or than one says."""

    help = "Removes final jobs that RETENTION does not keep any longer, or those older than you say."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what narrows it."""
        statuses = sorted(status.value for status in FINAL)
        parser.add_argument(
            "--status",
            choices=statuses,
            metavar="STATUS",
            help=f"only these: {', '.join(statuses)}; otherwise all that RETENTION does not keep for ever",
        )
        parser.add_argument(
            "--older-than", type=_age, metavar="AGE", help="as 45s, 30m, 12h, 7d or 2w, instead of RETENTION"
        )
        parser.add_argument("--dry-run", action="store_true", help="count, and remove nothing")

    def answer(self, options: Mapping[str, Any]) -> Answer:
        """Remove the jobs, or only count them, status by status."""
        engine = engine_for(router.db_for_write(Job))
        now, remove = engine.read_clock(), _count if options["dry_run"] else _remove
        removed = {
            status.value: remove(engine, status, now - timedelta(seconds=age))
            for status, age in _ages(options["status"], options["older_than"]).items()
        }
        total, dry = sum(removed.values()), options["dry_run"]
        said = ", ".join(f"{count} {status}" for status, count in removed.items())
        text = f"{total} {'would be ' if dry else ''}pruned: {said}"
        return Answer({"pruned": total, "by_status": removed, "dry_run": dry}, text)


def _ages(status: str | None, older_than: float | None) -> dict[Status, float]:
    kept = conf().retention
    if status is not None:
        kept = {Status(status): kept[Status(status)]}
        if older_than is not None:
            return dict.fromkeys(kept, older_than)
    # An age alone does not reach what the project keeps for ever: that must be named.
    ages = {each: seconds for each, seconds in kept.items() if seconds is not None}
    if not ages:
        which = f"{status} jobs" if status else "all jobs"
        raise CommandError(
            f"RETENTION keeps {which} for ever: say --status and --older-than, as 30d", returncode=2
        )
    return ages if older_than is None else dict.fromkeys(ages, older_than)


def _remove(engine: Engine, status: Status, before: datetime) -> int:
    return in_steps(lambda limit: engine.repeated(partial(engine.prune, status, before=before, limit=limit)))


def _count(engine: Engine, status: Status, before: datetime) -> int:
    return Job.objects.using(engine.alias).filter(status=status, run_after__lt=before).count()


def _age(text: str) -> float:
    match = re.fullmatch(r"([0-9]{1,10})([smhdw])", text)
    seconds = int(match[1]) * UNITS[match[2]] if match else LONGEST + 1
    if seconds > LONGEST:
        raise ArgumentTypeError(f"must be a whole number and one of s, m, h, d, w, as 7d, not {text!r}")
    return seconds
