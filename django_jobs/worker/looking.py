"""How a worker looks for jobs in the queues it serves, and claims what it finds."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django_jobs.engines import Engine
from django_jobs.engines.rows import ClaimedJob
from django_jobs.engines.stretches import Places
from django_jobs.wire.clock import boottime, boottime_ns
from django_jobs.worker.clock import DatabaseClock
from django_jobs.worker.floors import Floors, Look
from django_jobs.worker.queue_list import QueueList
from django_jobs.worker.served import ServedQueues


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which name, from which queues and for how long (seconds) the worker claims."""

    worker_id: str
    queues: QueueList
    lease: float

    def lease_end(self, now: datetime) -> datetime:
        """Return until when a claim is good that is made or renewed now."""
        return now + timedelta(seconds=self.lease)


class Looking:
    """The worker's looks for jobs.

    Args:
        foresee: is told with each look at the queues when the next scheduled job is due.

    Attributes:
        queues: where it claims from.
        asked_at: when it last asked for a claim, answered or not (CLOCK_BOOTTIME, seconds).
    """

    def __init__(
        self,
        engine: Engine,
        terms: Terms,
        *,
        clock: DatabaseClock,
        foresee: Callable[[datetime | None], None],
    ) -> None:
        self._engine, self._terms, self._clock = engine, terms, clock
        self._floors = Floors()
        self.queues = ServedQueues(engine, terms.queues, foresee=foresee)
        self.asked_at = float("-inf")

    def claim(self, wanted: int) -> list[Look]:
        """Claim up to so many jobs; return the looks it took, to be noted when they are committed."""
        queues = self.queues.names() if wanted else []
        if not queues:
            return []
        looks = [self._look(queues, wanted, self._floors.places())]
        if not looks[0].full and len(looks[0].jobs) < wanted:
            # Before anybody takes the queue for empty.
            looks.append(self._look(queues, wanted - len(looks[0].jobs), []))
        return looks

    def took(self, looks: Sequence[Look]) -> None:
        """Take note of looks that were committed, or that there was none."""
        self.queues.claimed()
        for look in looks if self._engine.claims_past else ():
            self._floors.took(look)

    def claimed(self, looks: Sequence[Look]) -> list[ClaimedJob]:
        """Return what they have claimed, each job with the meta that an attempt before has saved."""
        jobs = [job for look in looks for job in look.jobs]
        metas = self._engine.metas([job.id for job in jobs if _may_have_run(job)])
        return [job._replace(meta=metas.get(job.id)) for job in jobs] if metas else jobs

    def _look(self, queues: Sequence[str], wanted: int, past: Places) -> Look:
        def look() -> Look:
            # Each try anew: neither its lease nor the time it took has the pauses before it in it.
            begun = boottime_ns()
            jobs = self._engine.claim(
                queues,
                wanted,
                worker_id=self._terms.worker_id,
                token=secrets.randbits(63),
                lease=self._terms.lease_end(self._clock.now()),
                past=past,
            )
            return Look(jobs, full=not past, seconds=(boottime_ns() - begun) / 1e9)

        self.asked_at = boottime()
        # By itself: a look before it may have claimed some, and they must not be forgotten for a conflict.
        return self._engine.repeated(look)


def _may_have_run(job: ClaimedJob) -> bool:
    # Of a job that runs for the first time nobody needs to ask. (A spoilt row may hold anything here.)
    return bool(job.attempts or job.interruptions or job.round != 1)
