"""Whatever makes jobs ready tells idle workers, by NOTIFY: every such verb, here and nowhere else.

A notification arrives when its transaction has committed, and never when it has not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django_jobs.engines.listening import ANY_QUEUE
from django_jobs.engines.portable.statements import ROW_BY_ROW
from django_jobs.engines.rows import Ack, Amended, NewJob, Released, Returned
from django_jobs.engines.wholesale import WholesaleEngine
from django_jobs.outcomes import Outcome
from django_jobs.states import AttemptOutcome, Status
from django_jobs.wire.clock import boottime

# One channel for all; what goes with it is the name of a queue that has a ready job, or ANY_QUEUE.
CHANNEL = "django_jobs"
# In autocommit a process tells of a queue so often at most (seconds): each notification costs every worker
# a look. A worker looks again a little later than that after each.
EVERY = 0.05

_TELL = "SELECT pg_notify(%s, queue) FROM unnest(%s::text[]) AS told(queue)"
_INSERT_AND_TELL = f"WITH stored AS ({ROW_BY_ROW.insert_job}) SELECT pg_notify(%s, %s)"

_told: dict[tuple[str, str], float] = {}  # alias, queue → when (CLOCK_BOOTTIME)


class NotifyingEngine(WholesaleEngine):
    """The verbs that make jobs ready, or due sooner than workers know."""

    def enqueue(self, jobs: Sequence[NewJob]) -> None:
        """Tell of a single job within its INSERT: a round trip more would be the dearer part."""
        queues = {_news_of(job) for job in jobs if job.status is not Status.WAITING}
        if len(jobs) == 1 and (news := self._worth_telling(queues)):
            self.ask(_INSERT_AND_TELL, (*self.values.new(jobs[0]), CHANNEL, *queues))
            _told.update(news)
        else:
            super().enqueue(jobs)
            self._tell(queues)

    def unhold(self, ids: Sequence[UUID], *, now: datetime) -> int:
        """Tell if any left."""
        return self._told_if(super().unhold(ids, now=now))

    def promote(self, *, now: datetime, limit: int) -> int:
        """Tell if any was due."""
        return self._told_if(super().promote(now=now, limit=limit))

    def release(self, jobs: Sequence[Released]) -> Returned:
        """Tell if any was still ours."""
        returned = super().release(jobs)
        self._told_if(returned.ours)
        return returned

    def ack(self, acks: Sequence[Ack]) -> list[Amended]:
        """Tell if any goes back in place: this worker may have no room for it. Rescues come here too."""
        amended = super().ack(acks)
        self._told_if(any(_goes_back(ack.outcome) for ack in acks))
        return amended

    def requeue(self, ids: Sequence[UUID], *, now: datetime) -> int:
        """Tell if any was final."""
        return self._told_if(super().requeue(ids, now=now))

    def resume(self, names: Sequence[str]) -> int:
        """Tell if any was paused."""
        return self._told_if(super().resume(names))

    def _told_if(self, changed: int) -> int:
        if changed:
            self._tell({ANY_QUEUE})
        return changed

    def _tell(self, queues: Collection[str]) -> None:
        if news := self._worth_telling(queues):
            self.ask(_TELL, (CHANNEL, [queue for _, queue in news]))
            _told.update(news)

    def _worth_telling(self, queues: Collection[str]) -> dict[tuple[str, str], float]:
        """Return what is to be told, as it is to be kept once it was: what fails has told nobody."""
        last = {(self.alias, queue): _told.get((self.alias, queue), 0.0) for queue in sorted(queues)}
        if not self.connection.get_autocommit():
            return last  # when it commits, this process may have been silent for long
        now = boottime()
        return {queue: now for queue, told in last.items() if now >= told + EVERY}


def _news_of(job: NewJob) -> str:
    # Whoever hears of a queue claims from it at once, and asks only otherwise when the next job is due.
    return job.queue if job.status is Status.READY else ANY_QUEUE


def _goes_back(outcome: Outcome) -> bool:
    at_once = outcome.retry_in is not None and outcome.retry_in <= 0
    return at_once or outcome.outcome is AttemptOutcome.INTERRUPTED
