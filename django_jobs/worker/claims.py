"""All that this worker holds in the database: renewed, settled, claimed under its own fence."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from datetime import datetime, timedelta

from django_jobs import logs
from django_jobs.engines import Engine
from django_jobs.engines.rows import (
    Ack,
    Cancel,
    ClaimedJob,
    Held,
    Noted,
    Released,
    Returned,
    Run,
    Started,
)
from django_jobs.engines.tally import Tally, run_of
from django_jobs.options import on_failure, result_ttl
from django_jobs.outcomes import Outcome
from django_jobs.wire.clock import boottime, boottime_ns
from django_jobs.worker.announcing import Announcer, Settled
from django_jobs.worker.clock import DatabaseClock
from django_jobs.worker.floors import Look
from django_jobs.worker.looking import Looking, Terms
from django_jobs.worker.served import ServedQueues
from django_jobs.worker.work import GivenBack, Work


class Claims:
    """The worker's claims, by their fences, and every statement about them."""

    def __init__(
        self,
        engine: Engine,
        terms: Terms,
        *,
        clock: DatabaseClock,
        tally: Tally,
        announcer: Announcer,
        foresee: Callable[[datetime | None], None],
    ) -> None:
        self._engine, self._terms, self._clock, self._tally = engine, terms, clock, tally
        self._announcer = announcer
        self._looking = Looking(engine, terms, clock=clock, foresee=foresee)
        self._held: set[Held] = set()
        self._turned_away_until: datetime | None = None
        self._answered_at = 0.0  # when it last asked for claims that it has not heard of, and was answered

    @property
    def queues(self) -> ServedQueues:
        """Where it claims from."""
        return self._looking.queues

    @property
    def none_held(self) -> bool:
        """Whether the worker holds no claim at all."""
        return not self._held

    def any_due(self) -> bool:
        """Whether a job that this worker serves is ready, or anyone's should be by now; asks anew.

        One that was turned away because there was no room for it is due, although it is scheduled.
        """
        self.queues.forget()
        names, due, now = self.queues.names(), self.queues.due, self._clock.now()
        waiting = self._turned_away_until is not None and now < self._turned_away_until
        return waiting or bool(names) or (due is not None and due <= now)

    def renew(self) -> tuple[list[Held], int]:
        """Extend all claims; return those that are lost, and until when the others are good (ns)."""
        # Counted from before the question: the lease must never seem longer here than in the row.
        until_ns = boottime_ns() + int(self._terms.lease * 1e9)
        self._clock.measure()
        lost = self._engine.repeated(self._renew) if self._held else []
        self._give_back_unheard()
        # The last thing: should something fail before, nobody has heard of them, and the next one finds them.
        self._held.difference_update(lost)
        return lost, until_ns

    def cancels(self) -> list[Cancel]:
        """Return which of the jobs that are running here somebody wants cancelled."""
        return self._engine.cancels(self._terms.worker_id) if self._held else []

    def settle_and_claim(self, work: Work, *, wanted: int) -> list[ClaimedJob]:
        """Write what was handed over and claim up to so many jobs, in one transaction where there is both."""
        if work.given_back or any(_makes_ready(*each) for each in work.finished):
            self.queues.forget()  # our own write may make a queue ready that the list does not have
        if not work and not (wanted and self.queues.names()):
            return []  # a look in vain needs no transaction, and on SQLite not the one lock for writing
        if work:
            written, returned, looks, claimed = self._engine.repeated(lambda: self._transact(work, wanted))
        else:  # no transaction but the claim's own: a job that comes to an idle worker waits for it
            looks = self._looking.claim(wanted)
            written, returned, claimed = [], Returned(), self._looking.claimed(looks)
        self._looking.took(looks)
        self._account_for_returned(work, set(returned.cancelled))
        self._account_for_finished(written)
        self._announcer.post()
        # Should telling of the others fail, these are given back as those that were never heard of.
        self._held.update(Held(job.id, job.token) for job in claimed)
        return claimed

    def _renew(self) -> list[Held]:
        return self._engine.renew(sorted(self._held), lease=self._terms.lease_end(self._clock.now()))

    def _give_back_unheard(self) -> None:
        # Where the connection broke after a claim's commit and before its answer, nobody runs these jobs. The
        # commit may even come after the next question, but not a lease later.
        if self._answered_at > self._looking.asked_at + self._terms.lease:
            return
        asked_at = boottime()
        unheard = sorted(set(self._engine.claimed_by(self._terms.worker_id)) - self._held)
        if unheard:
            released = [Released(held) for held in unheard]
            logs.unheard(jobs=self._engine.repeated(lambda: self._engine.release(released)).ours)
            self.queues.forget()
        self._answered_at = asked_at

    def _transact(
        self, work: Work, wanted: int
    ) -> tuple[list[Settled], Returned, list[Look], list[ClaimedJob]]:
        with self._tally.counting(self._engine, now=self._clock.now) as runs:
            written = self._settle(work, runs)
            returned = self._engine.release([self._released(given) for given in work.given_back])
            self._engine.start([Started(held, self._clock.at(ns)) for held, ns in work.begun])
            looks = self._looking.claim(wanted)
            return written, returned, looks, self._looking.claimed(looks)

    def _settle(self, work: Work, runs: list[Run]) -> list[Settled]:
        """Return what was written of each finished job."""
        acks = [self._ack(*finished) for finished in work.finished]
        self._engine.note(self._noted(work))
        amended = {one.held: one for one in self._engine.ack(acks)}
        written = [
            Settled(job, ack, amended.get(ack.held) if amended else None)
            for (job, _), ack in zip(work.finished, acks, strict=True)
        ]
        runs += [run_of(one.job, one.ack, ended.outcome) for one in written if (ended := one.outcome)]
        return written

    def _noted(self, work: Work) -> list[Noted]:
        # What a run said last comes with its outcome, and is newer than any note of it that waited here.
        last = {Held(job.id, job.token): out.note for job, out in work.finished if out.note}
        now = self._clock.now()
        return [Noted(held, note, now) for held, note in {**work.notes, **last}.items()]

    def _account_for_returned(self, work: Work, cancelled: Container[Held]) -> None:
        for given in work.given_back:
            job, reason = given.job, given.reason
            held = Held(job.id, job.token)
            self._held.discard(held)
            if given.turned_away:
                self._note_turned_away(given)
            if held in cancelled:
                logs.cancelled(job_id=job.id, function=job.function)
                self._announcer.cancelled(job)
            elif reason:
                logs.given_back(job_id=job.id, function=job.function, reason=reason)

    def _note_turned_away(self, given: GivenBack) -> None:
        # A moment later than its row says: then it is due, and asked for there.
        until = self._clock.now() + timedelta(seconds=given.delay or 0.0)
        self._turned_away_until = max(until, self._turned_away_until or until)

    def _account_for_finished(self, written: Sequence[Settled]) -> None:
        for settled in written:
            job, outcome = settled.job, settled.outcome
            self._held.discard(Held(job.id, job.token))
            if outcome is None:
                logs.refused(job_id=job.id, worker_id=self._terms.worker_id)
                continue
            logs.settled(
                function=job.function,
                number=job.number,
                max_attempts=job.max_attempts,
                outcome=outcome,
                cancelled=settled.cancelled,
            )
            self._announcer.settled(settled)

    def _ack(self, job: ClaimedJob, outcome: Outcome) -> Ack:
        return Ack(
            outcome,
            job.round,
            job.number,
            self._terms.worker_id,
            self._clock.at(outcome.started_ns) if outcome.started_ns else None,
            self._clock.at(outcome.finished_ns),
            result_ttl(job.options) if job.options else None,
            on_failure(job.options, of=job.function) if job.options else None,
        )

    def _released(self, given: GivenBack) -> Released:
        due = None if given.delay is None else self._clock.now() + timedelta(seconds=given.delay)
        return Released(Held(given.job.id, given.job.token), due, given.reason)


def _makes_ready(job: ClaimedJob, outcome: Outcome) -> bool:
    dead = outcome.error is not None and outcome.final
    return outcome.retry_in == 0 or (dead and on_failure(job.options, of=job.function) is not None)
