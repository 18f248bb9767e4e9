"""`manage.py jobs replay`: make new jobs of dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django_jobs import client
from django_jobs.management.jobs.changes import Change
from django_jobs.models.queries import JobQuerySet
from django_jobs.states import Status


class Replay(Change):
    """Replay dead letters, each once."""

    help = "Makes a new job of each dead letter that was not replayed before; the letter stays as it is."
    done = "replayed"
    also: ClassVar[Mapping[str, str]] = {"refused": "refused (the signature of the arguments does not match)"}
    eligible = {"dead": frozenset({Status.DEAD})}

    def change(self, ids: Sequence[UUID], options: Mapping[str, Any]) -> Counter[str]:
        """Replay those that are dead and were not replayed before."""
        if options["ids"]:
            return Counter({self.done: len(client.replay(ids))})
        # Of a whole status those that cannot be replayed must not keep the others from it.
        refused = set(client.unsigned(ids))
        made = client.replay([each for each in ids if each not in refused])
        return Counter({self.done: len(made), "refused": len(refused)})

    def _among(self, statuses: frozenset[Status]) -> JobQuerySet:
        return super()._among(statuses).filter(replayed_as=None)

    def _why_not(self, count: int) -> str:
        return f"{count} left alone (only dead jobs can be replayed, and each once)"
