"""`manage.py jobs requeue`: put final jobs back in place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django_jobs import client
from django_jobs.management.jobs.changes import Change
from django_jobs.states import FINAL


class Requeue(Change):
    """Requeue dead, cancelled or completed jobs."""

    help = "Puts dead, cancelled or completed jobs back in place, as a new round of the same job."
    done = "requeued"
    eligible = {status.value: frozenset({status}) for status in sorted(FINAL)}

    def change(self, ids: Sequence[UUID], options: Mapping[str, Any]) -> Counter[str]:
        """Requeue those that are final."""
        return Counter({self.done: client.requeue(ids)})
