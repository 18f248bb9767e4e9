"""Jobs whose worker stopped renewing their lease are settled by another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django_jobs import logs
from django_jobs.duties import STEP, Done, checked_interval
from django_jobs.duties.watch import LeaseWatch
from django_jobs.engines import Engine
from django_jobs.engines.rows import Lease, Rescued, Run
from django_jobs.engines.tally import Tally
from django_jobs.wire.clock import boottime


class Rescue:
    """Settle running jobs whose lease has passed, and count their runs.

    Args:
        lease: how long a claim is good for (seconds).
        announce: is told what became of them, once it is committed.
    """

    def __init__(
        self,
        *,
        interval: float,
        lease: float,
        tally: Tally,
        announce: Callable[[Sequence[Rescued]], None],
    ) -> None:
        self.interval = checked_interval(interval)
        self._tally, self._announce = tally, announce
        self._watch = LeaseWatch(lease=lease, interval=interval)

    def run(self, engine: Engine, *, now: datetime) -> Done:
        """Rescue up to STEP jobs."""
        return self._of_those_watched(engine, now) if engine.on_hosts_clock else self._rescue(engine, now)

    def _of_those_watched(self, engine: Engine, now: datetime) -> Done:
        over = self._watch.look(engine.leases(), now=now, at=boottime())[:STEP]
        done = self._rescue(engine, now, over) if over else Done(again_at=self._next_look(now))
        if notes := self._watch.notes():
            engine.note_watched(notes)
        return replace(done, expects=self._watch.suspects)

    def _next_look(self, now: datetime) -> datetime | None:
        wait = self._watch.wait
        return now + timedelta(seconds=wait) if wait < self.interval else None

    def _rescue(self, engine: Engine, now: datetime, over: Sequence[Lease] | None = None) -> Done:
        with self._tally.counting(engine, now=engine.read_clock) as runs:
            rescued = engine.rescue(now=now, limit=STEP, over=over)
            # Without times: when a lost run really ended nobody knows.
            runs += [Run(job.function, job.queue, job.outcome) for job in rescued]
        for job in rescued:
            logs.rescued(job_id=job.id, function=job.function, worker_id=job.worker_id, status=job.status)
        self._announce(rescued)
        return Done(made_ready=bool(rescued), again_at=now if len(rescued) == STEP else None)
