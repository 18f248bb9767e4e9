"""Make new jobs of dead letters, each once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django_jobs.engines.rows import Replay
from django_jobs.models import Job
from django_jobs.states import Status

if TYPE_CHECKING:
    from django_jobs.engines.base import Engine


def replay(engine: Engine, replays: Sequence[Replay]) -> list[UUID]:
    """Mark each dead letter with its new job's id, then store the new jobs of those it marked."""
    if not replays:
        return []
    with engine.transaction():
        # In id order: two that replay some of the same letters then never wait for each other in a ring.
        ours = [each for each in sorted(replays) if _mark(engine, each)]
        engine.enqueue([each.job for each in ours])
        for each in ours:
            Job.objects.using(engine.alias).filter(pk=each.job.id).update(replay_of=each.dead)
    return [each.dead for each in ours]


def _mark(engine: Engine, replay: Replay) -> bool:
    # The guard: of two at once, the second waits for the first's row and then finds it marked.
    unmarked = Job.objects.using(engine.alias).filter(status=Status.DEAD, replayed_as=None)
    return unmarked.filter(pk=replay.dead).update(replayed_as=replay.job.id) == 1
