"""The worker's main thread: sockets, signals, clocks, kills. It never touches a database and never blocks.

Each turn, in this order:

1. what came in: reports, births and deaths, news from the desk, signals
2. the lease and the limits on time
3. hand out and ask for more; or, when stopping, give back and wind down
4. hand over to the desk what is to be written, and show that all is well
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from dataclasses import dataclass

from django_jobs.exceptions import JobsError
from django_jobs.logs import logger
from django_jobs.wire.clock import boottime
from django_jobs.wire.events import EVENTS_SLOT
from django_jobs.worker.events import Events
from django_jobs.worker.floor import Floor
from django_jobs.worker.health import HealthFile
from django_jobs.worker.inbox import (
    Cancels,
    Claimed,
    DeskClosed,
    Drained,
    Happened,
    Inbox,
    Lost,
    Outbox,
    Paused,
)
from django_jobs.worker.runners import Runners
from django_jobs.worker.starting import Event, ExecStarter, What
from django_jobs.worker.stopping import Stop
from django_jobs.worker.verdicts import Verdict

# While a recount waits for a runner to settle, look again after so long (seconds).
RECOUNT_EVERY = 0.001
# The longest nap: nothing is waited for by time alone that long.
NAP = 5.0


class DeskDied(JobsError):
    """The desk ended although nobody asked it to."""


@dataclass(slots=True)
class Lifetime:
    """When the worker ends by itself.

    Attributes:
        max_jobs: how many jobs it takes; None for any number. What it gave back unrun does not count.
        max_seconds: how long it works; None for any time. Running jobs have the grace period then.
        burst: whether it ends when nothing is due any more.
    """

    max_jobs: int | None
    max_seconds: float | None
    burst: bool


class Loop:
    """Moves every job between desk and runners until it is told to stop."""

    def __init__(
        self,
        lifetime: Lifetime,
        *,
        floor: Floor,
        runners: Runners,
        events: Events,
        fallback: ExecStarter,
        inbox: Inbox,
        outbox: Outbox,
        stop: Stop,
        health: HealthFile | None,
    ) -> None:
        self._lifetime, self._floor, self._runners, self._fallback = lifetime, floor, runners, fallback
        self._events = events
        self._inbox, self._outbox, self._stop, self._health = inbox, outbox, stop, health
        self._ends_at = float("inf")
        self._received = 0
        self._wait = 0.0
        self._winding_down = self._desk_closed = False
        self._selector = selectors.DefaultSelector()

    def run(self, *reports: socket.socket) -> None:
        """Work until stopped.

        Args:
            reports: the sockets on which the runners report.
        """
        for end in reports:
            self._selector.register(end, selectors.EVENT_READ, self._floor.collect)
        self._selector.register(self._events, selectors.EVENT_READ, self._events.collect)
        self._selector.register(self._outbox, selectors.EVENT_READ, self._hear_desk)
        self._selector.register(self._stop, selectors.EVENT_READ, self._stop.drain)
        self._watch_starter()
        if self._lifetime.max_seconds is not None:
            self._ends_at = boottime() + self._lifetime.max_seconds
        with self._selector:
            while not self._done():
                ready = self._selector.select(self._wait)
                if nap := self._floor.nap:
                    time.sleep(nap)
                for key, _ in ready:
                    key.data()
                self._turn()
        self._events.drop()
        if not self._desk_closed:
            logger.warning(
                "the time for the last writes is over: a job whose end is not written "
                "is taken over when its lease has ended"
            )

    def _turn(self) -> None:
        self._floor.go_on_recounting()
        self._end_in_time()
        self._wait = min(NAP, self._guard_lease(), self._floor.enforce(), self._time_left)
        if self._stop.requested:
            self._wind_down()
        else:
            self._wait = min(self._wait, self._floor.hand_out())
        if self._floor.recounting:
            self._wait = RECOUNT_EVERY
        self._wait = min(self._wait, self._events.tend(staffing=self._floor.lease_good))
        self._tell_desk()
        if self._health:
            self._wait = min(self._wait, self._health.keep(stopping=self._stop.requested))

    @property
    def _time_left(self) -> float:
        return float("inf") if self._stop.requested else max(0.0, self._ends_at - boottime())

    def _end_in_time(self) -> None:
        if self._time_left == 0:
            logger.info("the worker has worked for its %g s", self._lifetime.max_seconds)
            self._stop.request()

    def _guard_lease(self) -> float:
        if self._floor.lease_good:
            return float("inf") if self._stop.requested else self._staff()
        self._floor.kill_running(Verdict.LEASE)
        return 0.1

    def _staff(self) -> float:
        return self._runners.staff(alone=self._floor.has_one_alone)

    def _tell_desk(self) -> None:
        if self._stop.requested:
            self._put_work()
        elif patience := self._floor.patience:
            self._wait = min(self._wait, patience)
        else:
            self._hand_over()

    def _put_work(self) -> None:
        if work := self._floor.take_work():
            self._inbox.put(work)

    def _hand_over(self) -> None:
        room, left = self._floor.room, self._jobs_left
        wanted = room if left is None else min(room, left)
        self._inbox.hand_over(self._floor.take_work(), wanted=wanted, received=self._received)
        if left == 0 and self._floor.empty:
            self._stop.request()
            self._wait = 0.0

    @property
    def _jobs_left(self) -> int | None:
        most = self._lifetime.max_jobs
        return None if most is None else max(0, most - self._received + self._floor.given_back)

    def _hear_desk(self) -> None:
        for news in self._outbox.take():
            match news:
                case Claimed(jobs):
                    self._received += len(jobs)
                    self._floor.take_in(jobs)
                case Lost(held):
                    self._floor.lose(held)
                case Paused(queues):
                    self._floor.pause(queues)
                case Cancels(asked):
                    self._floor.cancel(asked)
                case Happened(events):
                    self._events.add(events)
                case Drained() if self._floor.empty and not self._stop.requested:
                    self._stop.request()
                case DeskClosed():
                    self._desk_closed = True

    def _hear_starter(self) -> None:
        for event in self._runners.starter.events():
            if event.slot == EVENTS_SLOT:
                self._events.hear(event)
                continue
            match event.what:
                case What.BORN:
                    self._runners.born(event.slot, event.pid)
                case What.FAILED:
                    self._regret(event)
                case What.ORPHANED:
                    self._replace_nursery()
                case _:
                    self._floor.bury(event)

    def _watch_starter(self) -> None:
        self._selector.register(self._runners.starter, selectors.EVENT_READ, self._hear_starter)

    def _replace_nursery(self) -> None:
        logger.error("the nursery died; its runners are ended, new ones are started by exec")
        self._selector.unregister(self._runners.starter)
        orphans = self._runners.adopt(self._fallback)
        self._events.orphan()
        self._watch_starter()
        for event in orphans:
            self._floor.bury(event)
        self._floor.recount()  # a runner nobody has heard of may have read a message

    def _regret(self, event: Event) -> None:
        pause = self._runners.failed(event.slot)
        logger.error("no runner could be started (%s); next try in %g s", os.strerror(event.status), pause)

    def _wind_down(self) -> None:
        if not self._winding_down:
            self._winding_down = True
            if not self._floor.empty:
                logger.info("stopping; running jobs have %g s, another signal ends them", self._stop.grace)
            self._floor.recount()
        self._inbox.want(0, received=self._received)
        self._floor.give_back()
        if self._stop.grace_left == 0:
            self._floor.stop_running(Verdict.SHUTDOWN)
        if self._floor.empty:
            self._put_work()
            self._inbox.finish(received=self._received)
        self._wait = min(self._wait, max(0.01, self._stop.grace_left))

    def _done(self) -> bool:
        if self._desk_closed and not self._inbox.stopping:
            raise DeskDied("the desk ended although nobody asked it to; see the log")
        told = self._desk_closed and self._events.idle
        return told or (self._stop.requested and self._stop.overdue)
