"""The worker as a whole: puts its parts together, runs them, takes them apart."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path

from django.db import connections, router

from django_jobs import __version__, logs, registry
from django_jobs.conf import conf
from django_jobs.context import Workplace
from django_jobs.duties import Duty
from django_jobs.duties.expire import Expire
from django_jobs.duties.fold import Fold
from django_jobs.duties.forget_workers import ForgetWorkers
from django_jobs.duties.promote import Promote
from django_jobs.duties.prune import Prune
from django_jobs.duties.prune_counters import PruneCounters
from django_jobs.duties.rescue import Rescue
from django_jobs.engines import engine_for
from django_jobs.engines.rows import WorkerRow
from django_jobs.engines.tally import Tally
from django_jobs.exceptions import JobsError
from django_jobs.models import Job
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.slips import Slips
from django_jobs.wire.sockets import socket_pair
from django_jobs.worker.announcing import Announcer
from django_jobs.worker.desk import Desk, DeskPlan
from django_jobs.worker.event_line import EventLine
from django_jobs.worker.events import Events
from django_jobs.worker.floor import Floor
from django_jobs.worker.handout import Handout
from django_jobs.worker.health import HealthFile
from django_jobs.worker.inbox import Inbox, Outbox
from django_jobs.worker.line import Line
from django_jobs.worker.looking import Terms
from django_jobs.worker.loop import Lifetime, Loop
from django_jobs.worker.nursery import serving
from django_jobs.worker.options import WorkerOptions
from django_jobs.worker.pace import Pace
from django_jobs.worker.places import Places
from django_jobs.worker.posts import Posts
from django_jobs.worker.queue_list import QueueList
from django_jobs.worker.runners import Runners
from django_jobs.worker.starting import ExecStarter, NurseryStarter, Starter
from django_jobs.worker.stopping import Stop

# How often due jobs are looked for where the settings do not say (seconds): who looks for ready ones hears as
# well when the next one is due.
PROMOTE_INTERVAL = 5.0
# Rows of workers not seen for so long are removed, looked for every so often (seconds); people look sooner.
FORGET_AFTER, FORGET_EVERY = 3600.0, 300.0


class PlatformUnsupported(JobsError):
    """The worker needs what only Linux has."""

    def __init__(self) -> None:
        super().__init__(
            f"the worker runs on Linux only so far, not on {sys.platform}; enqueueing works anywhere"
        )


class Worker:
    """One running worker.

    Args:
        options: how it works.
        alias: the database the queue is on; None takes where the router writes jobs.

    Raises:
        PlatformUnsupported: this is not Linux.
        HealthFileRefused: the health file cannot be where it was asked for.
    """

    def __init__(self, options: WorkerOptions, *, alias: str | None = None) -> None:
        if sys.platform != "linux":
            raise PlatformUnsupported
        self.options, self.conf = options, conf()
        self.alias = alias or router.db_for_write(Job)
        # Two of one name are two workers: what one claimed the other may not settle.
        self.id = f"{options.worker_id or _place()}-{secrets.token_hex(4)}"
        self._queues = QueueList(names=options.queues, exclude=options.exclude)
        self._places = Places(options.processes, options.threads)
        self._slips = Slips.create(self._places.slips)
        self._slips.lease_ns = boottime_ns() + int(self.conf.LEASE * 1e9)
        self._health = self._health_file()
        self._jobs, self._alone = Line(*socket_pair()), Line(*socket_pair())
        self._events = EventLine()
        self._posts = Posts(
            places=self._places,
            jobs=self._jobs.runners,
            alone=self._alone.runners,
            slips=self._slips,
            workplace=Workplace(self.id, self._places.slots, self.alias),
            recycling=options.recycling,
            events=self._events,
        )
        self._inbox, self._outbox = Inbox(), Outbox()
        self._stop = Stop(
            grace=self.conf.SHUTDOWN_GRACE if options.grace is None else options.grace,
            for_good=options.whole_process,
        )
        self._logging = logs.ParentLogging(level=options.log_level)

    def run(self) -> None:
        """Work until stopped by a signal or by its own options.

        Raises:
            DeskDied: the thread with the database connection ended by a fault of its own.
        """
        registry.autodiscover()
        fallback = ExecStarter(self._posts)
        starter, method = self._starter(fallback)
        # From here on there are threads: this process forks no more.
        self._logging.start()
        self._stop.start()
        desk = self._desk()
        desk.start()
        try:
            self._announce(method)
            self._loop(starter, fallback).run(self._jobs.ours, self._alone.ours)
            if self._health:
                self._health.remove()
        finally:
            self._take_apart(desk, starter, fallback)

    def _health_file(self) -> HealthFile | None:
        if self.options.health_file is None:
            return None
        return HealthFile(
            self.options.health_file, worker_id=self.id, slips=self._slips, lease=self.conf.LEASE
        )

    def _starter(self, fallback: ExecStarter) -> tuple[Starter, str]:
        # Forked children must not share a connection; ours is opened again when it is needed.
        connections.close_all()
        threads = len(list(Path("/proc/self/task").iterdir())) - 1
        wanted = self.options.start_method
        if wanted == "exec" or (wanted is None and threads):
            if wanted is None:
                logs.logger.warning("start-up left %d threads, so runners are started by exec", threads)
            return fallback, "exec"
        parents = [self._jobs.ours, self._alone.ours, self._events.ours]
        serve = serving(self._posts)
        return NurseryStarter(slips=self._slips, close_in_child=parents, serve=serve), "fork"

    def _desk(self) -> Desk:
        conf = self.conf
        poll = conf.POLL_INTERVAL if self.options.poll_interval is None else self.options.poll_interval
        tally = Tally(self.id)
        announcer = Announcer(self.id, self.alias, self._outbox)
        duties: list[Duty] = [
            Promote(interval=poll or PROMOTE_INTERVAL),
            Rescue(interval=conf.RESCUE_INTERVAL, lease=conf.LEASE, tally=tally, announce=announcer.rescued),
            Expire(interval=conf.PRUNE_INTERVAL),
            Prune(conf.retention, interval=conf.PRUNE_INTERVAL, ended=lambda: tally.settled),
            Fold(),
            PruneCounters(kept=conf.COUNTERS_KEPT),
            ForgetWorkers(interval=FORGET_EVERY, unseen=max(FORGET_AFTER, 10 * conf.LEASE)),
        ]
        return Desk(
            DeskPlan(
                worker=self._described(),
                terms=Terms(self.id, self._queues, conf.LEASE),
                duties=duties,
                tally=tally,
                announcer=announcer,
                poll_interval=poll,
                burst=self.options.burst,
            ),
            engine=engine_for(self.alias),
            inbox=self._inbox,
            outbox=self._outbox,
            slips=self._slips,
        )

    def _described(self) -> WorkerRow:
        return WorkerRow(
            id=self.id,
            hostname=socket.gethostname(),
            pid=os.getpid(),
            queues=str(self._queues),
            slots=self._places.slots,
            version=__version__,
        )

    def _loop(self, starter: Starter, fallback: ExecStarter) -> Loop:
        runners = Runners(starter, self._slips, self._places)
        floor = Floor(
            handout=Handout(shared=self._jobs, alone=self._alone),
            runners=runners,
            slips=self._slips,
            pace=Pace(slots=self._places.slots),
            kill_after=self.conf.KILL_AFTER,
        )
        return Loop(
            Lifetime(
                max_jobs=self.options.max_jobs,
                max_seconds=self.options.max_seconds,
                burst=self.options.burst,
            ),
            floor=floor,
            runners=runners,
            events=Events(
                self._events,
                runners,
                timeout=self.conf.RECEIVER_TIMEOUT,
                kill_after=self.conf.KILL_AFTER,
            ),
            fallback=fallback,
            inbox=self._inbox,
            outbox=self._outbox,
            stop=self._stop,
            health=self._health,
        )

    def _announce(self, method: str) -> None:
        logs.logger.info(
            "worker %s serves %s with %d runners%s (%s); Ctrl-C stops it",
            self.id,
            self._queues,
            self.options.processes,
            f" of {self.options.threads} threads" if self.options.threads > 1 else "",
            method,
        )

    def _take_apart(self, desk: Desk, starter: Starter, fallback: ExecStarter) -> None:
        desk.stop()
        # A thread that waits for a database that is away ends with the process; it may still write here.
        if desk.wait(0.5):
            self._inbox.close()
            self._outbox.close()
            self._slips.close()
        starter.stop()
        fallback.stop()
        self._stop.stop()
        logs.logger.info("worker %s stopped", self.id)
        self._logging.stop()
        self._jobs.close()
        self._alone.close()
        self._events.close()


def _place() -> str:
    return f"{socket.gethostname()[:60]}-{os.getpid()}"
