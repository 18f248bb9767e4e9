"""`manage.py jobs cancel`: cancel pending jobs, and ask for running ones."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django_jobs import client
from django_jobs.management.jobs.changes import Change
from django_jobs.models.queries import JobQuerySet
from django_jobs.states import PENDING, CancelRequest, Status

CANCELLABLE = PENDING | {Status.RUNNING}


class Cancel(Change):
    """Cancel jobs that have not begun; ask those that have, or end them."""

    help = "Cancels pending jobs at once, and asks running ones to end themselves, or ends them by --force."
    done = "cancelled"
    also = {"asked": "asked to end"}
    eligible = {"pending": PENDING, **{status.value: frozenset({status}) for status in sorted(CANCELLABLE)}}

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add `--force`."""
        super().add_arguments(parser)
        parser.add_argument("--force", action="store_true", help="end running jobs whatever they are doing")

    def change(self, ids: Sequence[UUID], options: Mapping[str, Any]) -> Counter[str]:
        """Cancel those that are pending, ask for those that are running."""
        return Counter(client.cancel(ids, force=options["force"])._asdict())

    def count(self, jobs: JobQuerySet, options: Mapping[str, Any]) -> Counter[str]:
        """Return how many would be cancelled, and how many asked."""
        level = CancelRequest.FORCED if options["force"] else CancelRequest.ASKED
        asked = jobs.filter(status=Status.RUNNING, cancel_requested__lt=level).count()
        return Counter(cancelled=jobs.exclude(status=Status.RUNNING).count(), asked=asked)

    def _why_not(self, count: int) -> str:
        who = "only pending and running jobs can be cancelled, and a running one is asked once"
        return f"{count} left alone ({who})"
