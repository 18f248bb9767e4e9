"""How a job changes: every verb of the life cycle, once, in order.

The bodies are one call each into `portable`, which passes on every database Django has
transactions for. A vendor's engine overrides only what it does better or must do otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.core.checks import CheckMessage
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from django_jobs.engines.listening import Listener
from django_jobs.engines.nature import Nature
from django_jobs.engines.portable import (
    cancelling,
    claiming,
    counting,
    enqueueing,
    expiring,
    finishing,
    noting,
    presence,
    queues,
    removing,
    repeating,
    replaying,
    upkeep,
    waits,
)
from django_jobs.engines.rows import (
    Ack,
    Amended,
    Cancel,
    ClaimedJob,
    Count,
    Held,
    Lease,
    NewJob,
    Noted,
    Outlook,
    Released,
    Replay,
    Rescued,
    Returned,
    Started,
    WorkerRow,
)
from django_jobs.engines.stretches import Places
from django_jobs.states import Status

T = TypeVar("T")


class Engine(Nature):
    """The verbs on one database alias. Holds no state: one may be made for every call."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    @property
    def connection(self) -> BaseDatabaseWrapper:
        """This thread's connection to the alias."""
        return connections[self.alias]

    def transaction(self, *, savepoint: bool = True) -> AbstractContextManager[None]:
        """Return one transaction for the verbs inside it.

        Args:
            savepoint: whether it can be undone by itself inside another one, for two statements more.
        """
        return transaction.atomic(using=self.alias, savepoint=savepoint)

    def repeated(self, write: Callable[[], T]) -> T:
        """Call this, again after a deadlock or serialization failure; once inside a caller's transaction."""
        return repeating.repeated(self, write)

    def limit_waits(self, *, seconds: float) -> None:
        """Have this thread's connection give up waiting for a silent server or a lock after so long."""
        waits.limit_waits(self, seconds=seconds)

    def check(self) -> list[CheckMessage]:
        """Return what is wrong with how the project configures this database; connects to nothing."""
        return []

    def prepare(self, *, statement_timeout: float) -> None:
        """Connect, and have a server give up what takes it longer than so many seconds."""
        self.connection.ensure_connection()

    def disconnect(self) -> None:
        """Close the connection, whatever Django takes to be open on it; the next statement opens another.

        One that was cut while it was being opened keeps the autocommit of the one before it. An atomic block
        on it fails before it has begun, and is never left: Django would wait for its end for ever.
        """
        self.connection.in_atomic_block = self.connection.closed_in_transaction = False
        self.connection.close()

    def read_clock(self) -> datetime:
        """Return the database's own time, aware, in UTC."""
        return upkeep.read_clock(self)

    def listener(self) -> Listener:
        """Open a listener for what other connections make ready; by default one that hears nothing."""
        return Listener()

    def enqueue(self, jobs: Sequence[NewJob]) -> None:
        """Store new jobs, all or nothing, with a constant number of statements."""
        enqueueing.enqueue(self, jobs)

    def unhold(self, ids: Sequence[UUID], *, now: datetime) -> int:
        """Take one hold off each waiting job; those at 0 become scheduled or ready; return how many did."""
        return upkeep.unhold(self, ids, now=now)

    def promote(self, *, now: datetime, limit: int) -> int:
        """Make due scheduled jobs ready, oldest first; return how many."""
        return upkeep.promote(self, now=now, limit=limit)

    def next_due(self) -> datetime | None:
        """Return when the next scheduled job is due, None when there is none."""
        return upkeep.next_due(self)

    def ready_queues(self) -> list[str]:
        """Return the names of all queues with a ready job, sorted; reads one row a queue."""
        return self.queues_with(Status.READY)

    def queues_with(self, status: Status) -> list[str]:
        """Return the names of all queues with a job of this status, sorted; reads one row a queue."""
        return queues.queues_with(self, status)

    def depths(self, names: Sequence[str], *, cap: int) -> dict[str, dict[str, int]]:
        """Return how many jobs of each status these queues have, counting up to `cap`; none is left out."""
        return queues.depths(self, names, cap=cap)

    def paused(self) -> list[str]:
        """Return the names of the paused queues, sorted."""
        return queues.paused(self)

    def outlook(self) -> Outlook:
        """Return what an idle worker wants to know each time it looks."""
        return Outlook(self.ready_queues(), self.paused(), self.next_due())

    def claim(
        self, queues: Sequence[str], n: int, *, worker_id: str, token: int, lease: datetime, past: Places = ()
    ) -> list[ClaimedJob]:
        """Take up to n ready jobs, best first, under one token; of queues in `past` maybe only later ones.

        Queues that are paused may be left out: who has asked for the ready ones does not name them.
        """
        return claiming.claim(self, queues, n, worker_id=worker_id, token=token, lease=lease)

    def metas(self, ids: Sequence[UUID]) -> dict[UUID, str]:
        """Return what these jobs have saved of themselves in a run before, by id; none for the others."""
        return noting.metas(self, ids)

    def start(self, runs: Sequence[Started]) -> None:
        """Store when these runs began, so that a rescuer can tell a crash from an interruption."""
        claiming.start(self, runs)

    def note(self, notes: Sequence[Noted]) -> None:
        """Store what runs say of themselves, in place of what they said before; of ours only."""
        noting.note(self, notes)

    def renew(self, held: Sequence[Held], *, lease: datetime) -> list[Held]:
        """Extend these claims; return those that are no longer ours."""
        return claiming.renew(self, held, lease=lease)

    def claimed_by(self, worker_id: str) -> list[Held]:
        """Return all claims in a worker's name, those that it has never heard of among them."""
        return claiming.claimed_by(self, worker_id)

    def release(self, jobs: Sequence[Released]) -> Returned:
        """Give claimed jobs back unrun and uncharged; those that somebody wants cancelled are, instead."""
        return finishing.release(self, jobs)

    def ack(self, acks: Sequence[Ack]) -> list[Amended]:
        """Write outcomes, each with its attempt and error; return those not so written and what is enqueued.

        Refused is what is no longer ours: rescued, cancelled or acked. What cannot be stored is a failure.
        """
        return finishing.ack(self, acks)

    def count(self, counts: Sequence[Count]) -> None:
        """Store these counters in the place of those of the same minute, worker, function, queue, outcome."""
        counting.count(self, counts)

    def counts(self, *, minute: datetime, worker_id: str) -> list[Count]:
        """Return what a worker has counted in a minute."""
        return counting.counts(self, minute=minute, worker_id=worker_id)

    def leases(self) -> list[Lease]:
        """Return the leases of all that runs, each token's once."""
        return upkeep.leases(self)

    def note_watched(self, notes: Mapping[Lease, datetime]) -> None:
        """Store another end of these leases, where nobody has renewed them meanwhile."""
        upkeep.note_watched(self, notes)

    def rescue(self, *, now: datetime, limit: int, over: Sequence[Lease] | None = None) -> list[Rescued]:
        """Settle running jobs whose lease ended before now: crashed if started, interrupted if not."""
        return upkeep.rescue(self, now=now, limit=limit, over=over)

    def cancel(self, ids: Sequence[UUID], *, now: datetime) -> int:
        """Cancel those of these jobs that are pending; return how many were."""
        return cancelling.cancel(self, ids, now=now)

    def ask_cancel(self, ids: Sequence[UUID], *, force: bool) -> int:
        """Ask for running jobs to be cancelled, and lock the others; return how many are asked now."""
        return cancelling.ask_cancel(self, ids, force=force)

    def cancels(self, worker_id: str) -> list[Cancel]:
        """Return which of a worker's running jobs are asked to be cancelled."""
        return cancelling.cancels(self, worker_id)

    def requeue(self, ids: Sequence[UUID], *, now: datetime) -> int:
        """Put final jobs back in place as a new round; return how many were final."""
        return finishing.requeue(self, ids, now=now)

    def replay(self, replays: Sequence[Replay]) -> list[UUID]:
        """Make new jobs of dead letters, each letter once; return the letters that were replayed now."""
        return replaying.replay(self, replays)

    def pause(self, names: Sequence[str], *, now: datetime) -> int:
        """Let nobody claim from these queues any more; return how many were not paused before."""
        return queues.pause(self, names, now=now)

    def resume(self, names: Sequence[str]) -> int:
        """Let these queues be claimed from again; return how many were paused."""
        return queues.resume(self, names)

    def expire(self, *, now: datetime, limit: int) -> int:
        """Remove results of completed jobs that are due to be removed, longest first; return how many."""
        return expiring.expire(self, now=now, limit=limit)

    def prune(self, status: Status, *, before: datetime, limit: int) -> int:
        """Remove jobs that came into this final state before a moment, longest first; return how many."""
        return removing.prune(self, status, before=before, limit=limit)

    def purge(self, queue: str, *, statuses: Iterable[Status], limit: int) -> int:
        """Remove a queue's jobs of these statuses, running ones never; return how many."""
        return removing.purge(self, queue, statuses=statuses, limit=limit)

    def fold(self, *, before: datetime, limit: int) -> int:
        """Add up to so many workers' counters of minutes before this into one for all; return how many."""
        return counting.fold(self, before=before, limit=limit)

    def prune_counters(self, *, before: datetime, limit: int) -> int:
        """Delete up to so many folded counters of minutes before this, oldest first; return how many."""
        return counting.prune(self, before=before, limit=limit)

    def appear(self, worker: WorkerRow, *, started_at: datetime, now: datetime) -> None:
        """Store that a worker is there: its row at first, later that it was seen now; waits for no lock."""
        presence.appear(self, worker, started_at=started_at, now=now)

    def vanish(self, worker_ids: Sequence[str]) -> int:
        """Remove the rows of workers that have ended; return how many there were."""
        return presence.vanish(self, worker_ids)

    def forget_workers(self, *, seen_before: datetime, limit: int) -> int:
        """Remove the rows of workers that were not seen since; return how many."""
        return presence.forget_workers(self, seen_before=seen_before, limit=limit)
