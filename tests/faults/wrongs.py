"""What the planted bugs do in the place of the right thing."""

from __future__ import annotations

import base64
import mmap
import struct
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import cloudpickle

from django_jobs.engines.portable import expiring
from django_jobs.engines.portable.claiming import BEST_FIRST, COLUMNS
from django_jobs.engines.rows import Amended, ClaimedJob, Held
from django_jobs.models import Job
from django_jobs.serializers import parcels
from django_jobs.states import Status
from django_jobs.wire.clock import boottime, boottime_ns
from django_jobs.worker.announcing import Settled


def claim_by_subquery(
    engine: Any, queues: Sequence[str], n: int, *, worker_id: str, token: int, lease: datetime
) -> list[ClaimedJob]:
    """Claim as everybody does at first: `WHERE id IN (SELECT … LIMIT n FOR UPDATE SKIP LOCKED)`."""
    ready = Job.objects.filter(status=Status.READY, queue__in=queues).order_by(*BEST_FIRST)
    best = ready.select_for_update(skip_locked=True).values("pk")[:n]
    marks = {"status": Status.RUNNING, "worker_id": worker_id, "claim_token": token, "lease": lease}
    with engine.transaction():
        Job.objects.filter(pk__in=best).update(**marks)
        mine = Job.objects.filter(status=Status.RUNNING, claim_token=token)
        return [ClaimedJob._make((*row, token, None)) for row in mine.values_list(*COLUMNS)]


def write_history_first(engine: Any, acks: Sequence[Any]) -> bool:
    """Write attempts and errors whether or not the guard lets their jobs through."""
    rows = engine.values.acked(sorted(acks, key=lambda one: one.held))
    engine.send(engine.statements.insert_attempt, rows.attempts)
    engine.send(engine.statements.insert_error, rows.errors)
    engine.send(engine.statements.settle, rows.settled)
    engine.send(engine.statements.interrupt, rows.interrupted)
    expiring.note(engine, acks)
    return True


def read_host_clock(clock: Any) -> None:
    """Believe the host."""
    clock._measured_ns, clock._measured = boottime_ns(), datetime.now(UTC)


def tell_before_writing(right: Any, claims: Any, work: Any, *, wanted: int) -> Any:
    """Tell of the ends of runs, then write them."""
    for job, outcome in work.finished:
        written = Amended(Held(job.id, job.token), outcome)
        claims._announcer.settled(Settled(job, claims._ack(job, outcome), written))
    claims._announcer.post()
    return right(claims, work, wanted=wanted)


def load_before_verifying(right: Any, text: str, owner: Any) -> Any:
    """Unpickle what the row holds, then ask who wrote it."""
    if parcels.is_parcel(text):
        cloudpickle.loads(base64.b64decode(parcels.parse(text).data))
    return right(text, owner)


class Heartbeat:
    """Renewals that hang on user code: a thread beside the job beats, and else nothing is renewed."""

    STALE = 0.3  # seconds

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, 8)  # shared with the runners that are forked off this process
        self._until_ns = 0

    def _beat(self, moment: float) -> None:
        self._page[:] = struct.pack("d", moment)

    def run(self, right: Any, *args: Any) -> Any:
        """Run a job in the runner and beat meanwhile, as often as it lets another thread run."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(0.02):
                self._beat(boottime())

        self._beat(boottime())
        thread = threading.Thread(target=beat)
        thread.start()
        try:
            return right(*args)
        finally:
            over.set()
            thread.join()
            self._beat(0.0)

    def renew(self, right: Any, claims: Any) -> tuple[list[Held], int]:
        """Renew if something beats, or nothing runs."""
        (last,) = struct.unpack("d", self._page[:])
        silent = boottime() - last if last else 0.0
        if self.STALE < silent < claims._terms.lease + 0.5:
            return [], self._until_ns
        self._beat(0.0) if silent > self.STALE else None  # who ran is dead by now
        lost, self._until_ns = right(claims)
        return lost, self._until_ns
