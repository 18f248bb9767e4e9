"""The worker's one thread with a database connection.

Each pass is a row of bounded units, in this order, so that nothing keeps a renewal waiting:

1. renew the lease of all that the worker holds
2. hear whether another connection has made jobs ready, if the loop wants any
3. write what the loop handed over and claim what it wants, in one transaction where there is both
4. hear which of the jobs it holds somebody wants cancelled
5. do the duties that are due, until the next renewal is
6. after a renewal, say in the list of workers that this one is there

A database that is away stops nothing: what could not be written is kept and tried again.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django_jobs.duties import Done, Duty
from django_jobs.duties.promote import Promote
from django_jobs.duties.rescue import Rescue
from django_jobs.engines import Engine
from django_jobs.engines.listening import ANY_QUEUE
from django_jobs.engines.rows import ClaimedJob, WorkerRow
from django_jobs.engines.tally import Tally
from django_jobs.engines.transient import is_transient
from django_jobs.wire.clock import boottime
from django_jobs.wire.slips import Slips
from django_jobs.worker.announcing import Announcer
from django_jobs.worker.claims import Claims
from django_jobs.worker.clock import DatabaseClock
from django_jobs.worker.inbox import Claimed, DeskClosed, Drained, Inbox, Lost, Outbox, Paused
from django_jobs.worker.looking import Terms
from django_jobs.worker.presence import Presence
from django_jobs.worker.roster import DutyRoster
from django_jobs.worker.trouble import Trouble
from django_jobs.worker.waking import Waking
from django_jobs.worker.wishes import Wishes
from django_jobs.worker.work import GivenBack, Work

# How soon due jobs are looked for by a worker that looks for no ready ones (seconds).
PROMOTE_WHEN_FULL = 1.0


@dataclass(frozen=True, slots=True)
class DeskPlan:
    """What the desk is to do.

    Attributes:
        worker: how the worker describes itself.
        terms: under which terms it claims.
        duties: what it does for all workers.
        tally: what it counts.
        announcer: has receivers told what it has written.
        poll_interval: seconds between looks at an empty queue; None leaves it to what wakes the worker.
        burst: whether to tell when nothing is due any more.
    """

    worker: WorkerRow
    terms: Terms
    duties: Sequence[Duty]
    tally: Tally
    announcer: Announcer
    poll_interval: float | None
    burst: bool


class Desk:
    """Renews, settles, claims, does the duties."""

    def __init__(self, plan: DeskPlan, *, engine: Engine, inbox: Inbox, outbox: Outbox, slips: Slips) -> None:
        self._plan, self._engine, self._slips = plan, engine, slips
        self._inbox, self._outbox = inbox, outbox
        self._clock = DatabaseClock(engine)
        self._claims = Claims(
            engine,
            plan.terms,
            clock=self._clock,
            tally=plan.tally,
            announcer=plan.announcer,
            foresee=self._foresee,
        )
        self._waking = Waking(engine, queues=plan.terms.queues)
        self._wishes = Wishes(self._claims, outbox)
        self._roster = DutyRoster(plan.duties)
        self._presence = Presence(engine, plan.worker, clock=self._clock)
        self._trouble, self._duty_trouble = Trouble(engine.alias), Trouble(engine.alias)
        self._renew_at = self._look_at = self._poll_at = 0.0
        self._prepared = False  # the connection, which is another after every failure
        self._thread = threading.Thread(target=self._run, name="django_jobs desk", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Have the thread write what is left and end; bears being called twice."""
        self._inbox.stop()

    def wait(self, seconds: float) -> bool:
        """Wait up to so long for the end; return whether it came."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            # Short enough that a renewal that fails can be tried again within the lease.
            self._plan.announcer.worker("worker_started")
            self._engine.limit_waits(seconds=self._plan.terms.lease / 6)
            while not self._inbox.closed:
                self._pass()
            if not self._trouble.lasts:  # else the last thing this worker does is wait for the database
                self._presence.end()
            self._plan.announcer.worker("worker_stopped")
        finally:
            self._disconnect()
            self._outbox.post(DeskClosed())

    def _pass(self) -> None:
        wanted = self._inbox.wanted > 0
        work = self._inbox.take(wait=self._patience(wanted), also=self._waking.fileno() if wanted else None)
        try:
            self._prepare_if_new()
            renewed = self._renew_if_due()
            self._hear(anyway=renewed)
            found = self._settle_and_claim(work)
            work = Work()
            self._wishes.tell()
            self._tell_of_pauses(anew=renewed)
            made_ready = self._do_duties()
            if renewed:
                self._presence.show()
            drained = self._plan.burst and found == 0 and not made_ready and self._nothing_left()
            self._trouble.over()
        except Exception as error:
            # Whatever goes wrong between here and the database: what was to be written is kept.
            self._inbox.put_back(work)
            self._recover(error)
        else:
            if drained:
                self._outbox.post(Drained())

    def _patience(self, wanted: bool) -> float:
        moments = [self._renew_at, self._wishes.next_at, self._roster.next_at]
        if wanted:
            moments += [self._look_at, self._waking.next_at]
        return max(0.0, min(moments) - boottime())

    def _prepare_if_new(self) -> None:
        if not self._prepared:
            # A quarter of a lease passes before it is renewed: even then there is time for several tries.
            self._engine.prepare(statement_timeout=self._plan.terms.lease / 6)
            self._prepared = True

    def _renew_if_due(self) -> bool:
        if boottime() < self._renew_at:
            return False
        lost, self._slips.lease_ns = self._claims.renew()
        self._renew_at = boottime() + self._plan.terms.lease / 4
        if lost:
            self._outbox.post(Lost(lost))
        return True

    def _hear(self, *, anyway: bool) -> None:
        # With no slot free there is nothing to wake for: the next free one looks by itself. But news that
        # nobody reads fill the buffers, and then PostgreSQL waits for its reader inside a transaction.
        asks = self._inbox.wanted or (anyway and self._waking.listens)
        news = self._waking.heard() if asks else frozenset()
        if not news:
            return
        took_all, self._look_at = boottime() < self._look_at, 0.0
        if took_all and self._inbox.wanted and ANY_QUEUE not in news:
            # Nothing else was ready at the last look, that might have to go first.
            self._claims.queues.tell_of(news)
        else:
            self._claims.queues.forget()
            self._roster.hasten(Promote)  # the news may be a job for a little later

    def _foresee(self, due: datetime | None) -> None:
        """Leave out turns in which nothing would be due: that costs a busy server a question each."""
        self._roster.foresee(Promote, due, now=self._clock.now())

    def _settle_and_claim(self, work: Work) -> int | None:
        """Return how many jobs were claimed, None when it was not the time to look."""
        looks = self._inbox.wanted > 0 and (bool(work) or boottime() >= self._look_at)
        if not work and not looks:
            return None
        if boottime() >= self._look_at > 0:
            self._claims.queues.forget()
        # No more than are settled: else what has ended and is not written would pile up here, all of it to be
        # renewed again and again, and to be run a second time should this worker die.
        wanted = max(0, self._inbox.wanted - self._inbox.unwritten) if looks else 0
        asks = self._claims.queues.asks_next
        claimed = self._claims.settle_and_claim(work, wanted=wanted)
        if (seconds := work.back_in) is not None:
            self._roster.hasten(Promote, seconds=seconds)
        if wanted and asks:  # what was looked up before is not what is ready by now
            self._poll_at = self._next_look()
        self._look_at = self._poll_at if len(claimed) < wanted else 0.0
        if claimed:
            self._deliver(claimed)
        return len(claimed) if looks else None

    def _deliver(self, claimed: list[ClaimedJob]) -> None:
        if self._inbox.delivered(len(claimed)):
            self._outbox.post(Claimed(claimed))
        else:  # the loop asked for the end while these were being claimed
            self._inbox.put(Work(given_back=[GivenBack(job) for job in claimed]))

    def _tell_of_pauses(self, *, anew: bool) -> None:
        # With no slot free nobody asks for the queues, and what is held ahead of the slots could still begin.
        if anew and not self._claims.none_held:
            self._claims.queues.forget()
            self._claims.queues.names()
        if paused := self._claims.queues.newly_paused():
            self._outbox.post(Paused(paused))

    def _next_look(self) -> float:
        # Jitter, so that many idle workers do not ask in step.
        interval = self._plan.poll_interval or self._waking.poll_interval
        return boottime() + interval * random.uniform(0.9, 1.1)

    def _do_duties(self) -> bool:
        made_ready = False
        if not self._inbox.wanted:  # then nobody looks, and what is due must not wait for a slot and a look
            self._roster.hasten(Promote, seconds=PROMOTE_WHEN_FULL)
        for duty in [] if self._inbox.stopping else self._roster.due():
            if boottime() >= self._renew_at:
                break  # the others are still due after it
            now = self._clock.now()
            done = self._do(duty, now)
            self._roster.done(duty, done, now=now)
            made_ready |= done.made_ready
        if made_ready:
            self._claims.queues.forget()
            self._look_at = 0.0
        return made_ready

    def _do(self, duty: Duty, now: datetime) -> Done:
        try:
            return self._engine.repeated(lambda: duty.run(self._engine, now=now))
        except Exception as error:
            if is_transient(error):
                raise
            # It will fail again, on a row that nothing else needs: claims and acks go on meanwhile.
            self._duty_trouble.happened(error)
            return Done()

    def _nothing_left(self) -> bool:
        return self._claims.none_held and not self._roster.expects and not self._claims.any_due()

    def _recover(self, error: Exception) -> None:
        self._disconnect()
        self._prepared = False
        # First of all the leases; then let live owners renew theirs before anyone takes them over.
        self._renew_at = 0.0
        self._roster.postpone(Rescue, seconds=self._plan.terms.lease / 2)
        # Jitter, so that all workers of a database that comes back do not knock at once.
        self._inbox.rest(self._trouble.happened(error) * random.uniform(0.8, 1.2))

    def _disconnect(self) -> None:
        for close in (self._waking.close, self._engine.disconnect):
            with suppress(Exception):  # it may be past closing; whatever it says, the desk's news must go out
                close()
