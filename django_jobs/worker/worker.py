"""The worker as a whole: puts its parts together, runs them, takes them apart."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
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
from django_jobs.recycling import Recycling
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.slips import Slips
from django_jobs.wire.sockets import socket_pair
from django_jobs.worker.claims import Terms
from django_jobs.worker.desk import Desk, DeskPlan
from django_jobs.worker.floor import Floor
from django_jobs.worker.handout import Handout
from django_jobs.worker.health import HealthFile
from django_jobs.worker.inbox import Inbox, Outbox
from django_jobs.worker.loop import Lifetime, Loop
from django_jobs.worker.nursery import serving
from django_jobs.worker.pace import Pace
from django_jobs.worker.queue_list import QueueList
from django_jobs.worker.runners import Runners
from django_jobs.worker.starting import ExecStarter, NurseryStarter, Starter
from django_jobs.worker.stopping import Stop

START_METHODS = ("fork", "exec")
# How often due jobs are looked for where the settings do not say (seconds).
PROMOTE_INTERVAL = 1.0

# The rows of workers that were not seen for so long are removed, looked for every so often (seconds): later
# than anybody who asks why a worker is gone would have looked at the list.
FORGET_AFTER, FORGET_EVERY = 3600.0, 300.0


class PlatformUnsupported(JobsError):
    """The worker needs what only Linux has."""

    def __init__(self) -> None:
        super().__init__(
            f"the worker runs on Linux only so far, not on {sys.platform}; enqueueing works anywhere"
        )


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker works.

    Attributes:
        queues: the queues to serve; empty serves all.
        exclude: queues never to serve.
        processes: how many jobs run at once, each in a process of its own.
        burst: end when nothing is due any more.
        max_jobs: end after so many jobs; None for any number.
        max_seconds: end after so long; None for any time.
        recycling: when a runner is replaced by a fresh one.
        poll_interval: seconds between looks that nothing woke it for; None takes POLL_INTERVAL.
        grace: seconds that running jobs may go on at shutdown; None takes SHUTDOWN_GRACE.
        start_method: fork or exec; None forks where that is safe.
        worker_id: what its id begins with; None takes host and pid.
        health_file: where it shows that it is well; None for nowhere.
        log_level: of the worker's own lines, where the project configured none.
    """

    queues: Sequence[str] = ()
    exclude: Sequence[str] = ()
    processes: int = 2
    burst: bool = False
    max_jobs: int | None = None
    max_seconds: float | None = None
    recycling: Recycling = field(default_factory=Recycling)
    poll_interval: float | None = None
    grace: float | None = None
    start_method: str | None = None
    worker_id: str | None = None
    health_file: str | None = None
    log_level: int = 20


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
        self._slips = Slips.create(options.processes)
        self._slips.lease_ns = boottime_ns() + int(self.conf.LEASE * 1e9)
        self._health = self._health_file()
        self._ours, self._theirs = socket_pair()
        self._workplace = Workplace(self.id, options.processes, self.alias)
        self._inbox, self._outbox = Inbox(), Outbox()
        self._stop = Stop(grace=self.conf.SHUTDOWN_GRACE if options.grace is None else options.grace)
        self._logging = logs.ParentLogging(level=options.log_level)

    def run(self) -> None:
        """Work until stopped by a signal or by its own options.

        Raises:
            DeskDied: the thread with the database connection ended by a fault of its own.
        """
        registry.autodiscover()
        fallback = ExecStarter(
            slips=self._slips,
            runners=self._theirs,
            workplace=self._workplace,
            recycling=self.options.recycling,
        )
        starter, method = self._starter(fallback)
        # From here on there are threads: this process forks no more.
        self._logging.start()
        self._stop.start()
        desk = self._desk()
        desk.start()
        try:
            self._announce(method)
            self._loop(starter, fallback).run(self._ours.fileno())
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
        serve = serving(
            jobs=self._theirs,
            slips=self._slips,
            workplace=self._workplace,
            recycling=self.options.recycling,
        )
        return NurseryStarter(slips=self._slips, close_in_child=[self._ours], serve=serve), "fork"

    def _desk(self) -> Desk:
        poll = self.conf.POLL_INTERVAL if self.options.poll_interval is None else self.options.poll_interval
        tally = Tally(self.id)
        duties: list[Duty] = [
            Promote(interval=poll or PROMOTE_INTERVAL),
            Rescue(interval=self.conf.RESCUE_INTERVAL, tally=tally),
            Expire(interval=self.conf.PRUNE_INTERVAL),
            Prune(self.conf.retention, interval=self.conf.PRUNE_INTERVAL),
            Fold(),
            PruneCounters(kept=self.conf.COUNTERS_KEPT),
            ForgetWorkers(interval=FORGET_EVERY, unseen=max(FORGET_AFTER, 10 * self.conf.LEASE)),
        ]
        return Desk(
            DeskPlan(
                worker=self._described(),
                terms=Terms(self.id, self._queues, self.conf.LEASE),
                duties=duties,
                tally=tally,
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
            slots=self.options.processes,
            version=__version__,
        )

    def _loop(self, starter: Starter, fallback: ExecStarter) -> Loop:
        runners = Runners(starter, self._slips, count=self.options.processes)
        floor = Floor(
            handout=Handout(ours=self._ours, runners=self._theirs),
            runners=runners,
            slips=self._slips,
            pace=Pace(slots=self.options.processes),
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
            fallback=fallback,
            inbox=self._inbox,
            outbox=self._outbox,
            stop=self._stop,
            health=self._health,
        )

    def _announce(self, method: str) -> None:
        logs.logger.info(
            "worker %s serves %s with %d runners (%s); Ctrl-C stops it",
            self.id,
            self._queues,
            self.options.processes,
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
        self._ours.close()
        self._theirs.close()


def _place() -> str:
    return f"{socket.gethostname()[:60]}-{os.getpid()}"
