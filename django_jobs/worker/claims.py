"""All that this worker holds in the database: renewed, settled, claimed under its own fence."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django_jobs import logs
from django_jobs.engines import Engine
from django_jobs.engines.rows import Ack, Amended, Cancel, ClaimedJob, Held, Noted, Released, Run, Started
from django_jobs.engines.tally import Tally, run_of
from django_jobs.options import result_ttl
from django_jobs.outcomes import Outcome
from django_jobs.wire.clock import boottime_ns
from django_jobs.worker.clock import DatabaseClock
from django_jobs.worker.inbox import GivenBack, Work
from django_jobs.worker.queue_list import QueueList
from django_jobs.worker.served import ServedQueues


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which name, from which queues and for how long (seconds) the worker claims."""

    worker_id: str
    queues: QueueList
    lease: float


class Claims:
    """The worker's claims, by their fences, and every statement about them.

    Attributes:
        queues: where it claims from.
    """

    def __init__(self, engine: Engine, terms: Terms, *, clock: DatabaseClock, tally: Tally) -> None:
        self._engine, self._terms, self._clock, self._tally = engine, terms, clock, tally
        self._held: set[Held] = set()
        self.queues = ServedQueues(engine, terms.queues)

    @property
    def none_held(self) -> bool:
        """Whether the worker holds no claim at all."""
        return not self._held

    def any_due(self) -> bool:
        """Whether a job that this worker serves is ready, or anyone's should be by now; asks anew."""
        self.queues.forget()
        due = self._engine.next_due()
        return bool(self.queues.names()) or (due is not None and due <= self._clock.now())

    def renew(self) -> tuple[list[Held], int]:
        """Extend all claims; return those that are lost, and until when the others are good (ns)."""
        # Counted from before the question: the lease must never seem longer here than in the row.
        until_ns = boottime_ns() + int(self._terms.lease * 1e9)
        self._clock.measure()
        lost = self._engine.repeated(self._renew) if self._held else []
        self._held.difference_update(lost)
        return lost, until_ns

    def cancels(self) -> list[Cancel]:
        """Return which of the jobs that are running here somebody wants cancelled."""
        return self._engine.cancels(self._terms.worker_id) if self._held else []

    def settle_and_claim(self, work: Work, *, wanted: int) -> list[ClaimedJob]:
        """Write what was handed over and claim up to so many jobs, in one transaction."""
        if any(outcome.retry_in == 0 for _, outcome in work.finished) or work.given_back:
            self.queues.forget()  # our own write may make a queue ready that the list does not have
        if not work and not (wanted and self.queues.names()):
            return []  # a look in vain needs no transaction, and on SQLite not the one lock for writing
        written, claimed = self._engine.repeated(lambda: self._write(work, wanted))
        self._account(work, written, claimed)
        return claimed

    def _renew(self) -> list[Held]:
        return self._engine.renew(sorted(self._held), lease=self._lease_end())

    def _write(self, work: Work, wanted: int) -> tuple[list[Amended], list[ClaimedJob]]:
        with self._tally.counting(self._engine, now=self._clock.now) as runs:
            return self._settle(work, runs), self._claim(wanted)

    def _settle(self, work: Work, runs: list[Run]) -> list[Amended]:
        """Return what was written of each finished job."""
        acks = [self._ack(*finished) for finished in work.finished]
        self._engine.note(self._noted(work))
        amended = {one.held: one for one in self._engine.ack(acks)}
        self._engine.release([self._released(given) for given in work.given_back])
        self._engine.start([Started(held, self._clock.at(ns)) for held, ns in work.begun])
        written = [amended.get(ack.held) or Amended(ack.held, ack.outcome) for ack in acks]
        for (job, _), ack, one in zip(work.finished, acks, written, strict=True):
            if one.outcome is not None:
                runs.append(run_of(job, ack, one.outcome.outcome))
        return written

    def _claim(self, wanted: int) -> list[ClaimedJob]:
        queues = self.queues.names() if wanted else []
        if not queues:
            return []
        claimed = self._engine.claim(
            queues,
            wanted,
            worker_id=self._terms.worker_id,
            token=secrets.randbits(63),
            lease=self._lease_end(),
        )
        metas = self._engine.metas([job.id for job in claimed if _may_have_run(job)])
        return [job._replace(meta=metas.get(job.id)) for job in claimed] if metas else claimed

    def _noted(self, work: Work) -> list[Noted]:
        # What a run said last comes with its outcome, and is newer than any note of it that waited here.
        last = {Held(job.id, job.token): out.note for job, out in work.finished if out.note}
        now = self._clock.now()
        return [Noted(held, note, now) for held, note in {**work.notes, **last}.items()]

    def _account(self, work: Work, written: Sequence[Amended], claimed: Sequence[ClaimedJob]) -> None:
        self._held.update(Held(job.id, job.token) for job in claimed)
        for given in work.given_back:
            job = given.job
            self._held.discard(Held(job.id, job.token))
            if given.cancelled:
                logs.cancelled(job_id=job.id, function=job.function)
            elif given.reason:
                logs.given_back(job_id=job.id, function=job.function, reason=given.reason)
        for (job, _), one in zip(work.finished, written, strict=True):
            self._held.discard(one.held)
            if one.outcome is None:
                logs.refused(job_id=job.id, worker_id=self._terms.worker_id)
            else:
                logs.settled(
                    function=job.function,
                    number=job.number,
                    max_attempts=job.max_attempts,
                    outcome=one.outcome,
                    cancelled=one.cancelled,
                )

    def _ack(self, job: ClaimedJob, outcome: Outcome) -> Ack:
        return Ack(
            outcome=outcome,
            round=job.round,
            number=job.number,
            worker_id=self._terms.worker_id,
            started_at=self._clock.at(outcome.started_ns) if outcome.started_ns else None,
            finished_at=self._clock.at(outcome.finished_ns),
            result_ttl=result_ttl(job.options),
        )

    def _released(self, given: GivenBack) -> Released:
        due = None if given.delay is None else self._clock.now() + timedelta(seconds=given.delay)
        return Released(Held(given.job.id, given.job.token), due, given.reason)

    def _lease_end(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self._terms.lease)


def _may_have_run(job: ClaimedJob) -> bool:
    # Of a job that runs for the first time nobody needs to ask. (A spoilt row may hold anything here.)
    return bool(job.attempts or job.interruptions or job.round != 1)
