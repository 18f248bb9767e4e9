"""`manage.py jobs cancel`: cancel pending jobs."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django_jobs import client
from django_jobs.management.jobs.changes import Change
from django_jobs.states import PENDING


class Cancel(Change):
    """Cancel jobs that have not begun."""

    help = "Cancels jobs that are pending: waiting, scheduled or ready. Running ones are left alone."
    done = "cancelled"
    eligible = {"pending": PENDING, **{status.value: frozenset({status}) for status in sorted(PENDING)}}

    def change(self, ids: Sequence[UUID]) -> int:
        """Cancel those that are pending."""
        return client.cancel(ids)
