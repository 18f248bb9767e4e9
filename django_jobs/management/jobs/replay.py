"""`manage.py jobs replay`: make new jobs of dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django_jobs import client
from django_jobs.management.jobs.changes import Change
from django_jobs.models.queries import JobQuerySet
from django_jobs.states import Status


class Replay(Change):
    """Replay dead letters, each once."""

    help = "Makes a new job of each dead letter that was not replayed before; the letter stays as it is."
    done = "replayed"
    eligible = {"dead": frozenset({Status.DEAD})}

    def change(self, ids: Sequence[UUID], options: Mapping[str, Any]) -> Counter[str]:
        """Replay those that are dead and were not replayed before."""
        return Counter({self.done: len(client.replay(ids))})

    def _among(self, statuses: frozenset[Status]) -> JobQuerySet:
        return super()._among(statuses).filter(replayed_as=None)

    def _why_not(self, count: int) -> str:
        return f"{count} left alone (only dead jobs can be replayed, and each once)"
