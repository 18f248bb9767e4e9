"""What happened to a job: its attempts, each with its error, as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_jobs.admin import formats
from django_jobs.models import Attempt, Job, JobError

SHOWN = 25


@dataclass(frozen=True)
class Run:
    """One attempt with its error; either may be missing."""

    attempt: Attempt | None
    error: JobError | None

    @property
    def label(self) -> str:
        """Round and number, as logs say them."""
        row = self.attempt or self.error
        return f"{row.round}.{row.number}" if row else ""

    @property
    def outcome(self) -> SafeString:
        """How the run ended."""
        if self.attempt is None:
            return formats.badge("", "")
        return formats.badge(self.attempt.outcome, str(self.attempt.get_outcome_display()))

    @property
    def started(self) -> SafeString | str:
        """When the run began, where that is known."""
        return formats.moment(self.attempt.started_at if self.attempt else None)

    @property
    def ended(self) -> SafeString | str:
        """When the run ended."""
        if self.attempt:
            return formats.moment(self.attempt.finished_at)
        return formats.moment(self.error.failed_at if self.error else None)

    @property
    def took(self) -> str:
        """How long the run took."""
        return formats.seconds(self.attempt.duration if self.attempt else None)

    @property
    def worker(self) -> SafeString | str:
        """Who ran it."""
        row = self.attempt or self.error
        return formats.code(row.worker_id if row else "")

    @property
    def message(self) -> SafeString | str:
        """What went wrong, cut where a page would choke on it."""
        return formats.block(self.error.message if self.error else None)

    @property
    def traceback(self) -> SafeString | str:
        """Where it went wrong, folded."""
        return formats.folded(_("Traceback"), self.error.traceback if self.error else None)

    @property
    def log(self) -> SafeString | str:
        """What the run logged, folded."""
        return formats.folded(_("Log"), self.attempt.log if self.attempt else None)


def history_of(job: Job) -> list[Run]:
    """Return the newest runs of a job, the newest first."""
    attempts = list(Attempt.objects.filter(job=job.pk).order_by("-id")[:SHOWN])
    errors = list(JobError.objects.filter(job=job.pk).order_by("-id")[:SHOWN])
    by_token = {error.token: error for error in errors}
    runs = [Run(attempt, by_token.pop(attempt.token, None)) for attempt in attempts]
    # An error without its attempt is rare (a function nobody knows), and shown all the same.
    lone = [Run(None, error) for error in by_token.values()]
    return sorted([*runs, *lone], key=_when, reverse=True)[:SHOWN]


def _when(run: Run) -> tuple[int, int, int]:
    row = run.attempt or run.error
    assert row is not None
    return (row.round, row.number, row.pk)
