"""An engine over a dict, which fails when the test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError

from django_jobs.engines.listening import Listener
from django_jobs.engines.rows import (
    Ack,
    Amended,
    Cancel,
    ClaimedJob,
    Count,
    Held,
    Noted,
    Outlook,
    Released,
    Returned,
    Started,
    WorkerRow,
)
from django_jobs.engines.stretches import Places
from django_jobs.outcomes import Outcome
from tests.worker.making import held


class Connection:
    """A connection that can be closed."""

    def __init__(self) -> None:
        self.closed = 0
        self.refuses = False

    def close(self) -> None:
        self.closed += 1
        if self.refuses:
            raise RuntimeError("cannot even be closed")


class FakeListener(Listener):
    """Has always heard the same."""

    poll_interval = 77.0
    recent: Set[str] = frozenset()

    def __init__(self, news: Set[str], *, fd: int | None = None) -> None:
        self.news, self.fd = news, fd
        self.asked = self.closed = 0
        self.fails: Exception | None = None

    def fileno(self) -> int | None:
        return self.fd

    def heard(self) -> Set[str]:
        self.asked += 1
        if self.fails:
            raise self.fails
        return self.news

    def close(self) -> None:
        self.closed += 1


class FakeEngine:
    """Takes note of every verb, in order."""

    alias = "default"
    on_hosts_clock = False
    claims_past = True

    def __init__(self) -> None:
        self.connection = Connection()
        self.ready: list[ClaimedJob] = []
        self.mine: set[Held] = set()
        self.calls: list[str] = []
        self.acked: list[Ack] = []
        self.stores_as: dict[Held, Outcome] = {}  # outcomes it cannot store, and what it stores instead
        self.counted: list[Count] = []
        self.released: list[Released] = []
        self.started: list[Started] = []
        self.noted: list[Noted] = []
        self.metas_saved: dict[UUID, str] = {}
        self.due: datetime | None = None
        self.workers: dict[str, datetime] = {}
        self.paused_queues: list[str] = []
        self.asked: list[Cancel] = []
        self.cancels_instead: set[Held] = set()
        self.ear: Listener = Listener()
        self.fails: dict[str, Exception] = {}
        self.meanwhile: Callable[[], Any] = lambda: None  # while a claim is being made

    def away(self, *verbs: str) -> None:
        """Let these verbs fail as they do while the database is away."""
        self.fails = {verb: OperationalError("away") for verb in verbs}

    def _call(self, verb: str) -> None:
        self.calls.append(verb)
        if verb in self.fails:
            raise self.fails[verb]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def repeated(self, write: Callable[[], Any]) -> Any:
        return write()

    def limit_waits(self, *, seconds: float) -> None:
        self.calls.append(f"limit_waits {seconds:g}")

    def prepare(self, *, statement_timeout: float) -> None:
        self._call("prepare")
        self.statement_timeout = statement_timeout

    def disconnect(self) -> None:
        self.connection.close()

    def read_clock(self) -> datetime:
        self._call("read_clock")
        return datetime.now(UTC)

    def listener(self) -> Listener:
        self._call("listener")
        return self.ear

    def outlook(self) -> Outlook:
        self._call("outlook")
        return Outlook(sorted({job.queue for job in self.ready}), self.paused_queues, self.due)

    def claim(
        self, queues: Sequence[str], n: int, *, worker_id: str, token: int, lease: datetime, past: Places = ()
    ) -> list[ClaimedJob]:
        self._call("claim")
        self.past = list(past)
        taken = [job._replace(token=token) for job in self.ready if job.queue in queues][:n]
        ids = {job.id for job in taken}
        self.ready = [job for job in self.ready if job.id not in ids]
        self.mine.update(held(job) for job in taken)
        self.meanwhile()
        return taken

    def metas(self, ids: Sequence[UUID]) -> dict[UUID, str]:
        if ids:
            self._call("metas")
        return {job_id: self.metas_saved[job_id] for job_id in ids if job_id in self.metas_saved}

    def note(self, notes: Sequence[Noted]) -> None:
        if notes:
            self._call("note")
        self.noted += notes

    def renew(self, held: Sequence[Held], *, lease: datetime) -> list[Held]:
        self._call("renew")
        return [one for one in held if one not in self.mine]

    def claimed_by(self, worker_id: str) -> list[Held]:
        self._call("claimed_by")
        return sorted(self.mine)

    def cancels(self, worker_id: str) -> list[Cancel]:
        self._call("cancels")
        return self.asked

    def ack(self, acks: Sequence[Ack]) -> list[Amended]:
        self._call("ack")
        self.acked += acks
        refused = [Amended(ack.held, None) for ack in acks if ack.held not in self.mine]
        self.mine.difference_update(ack.held for ack in acks)
        return (
            refused
            + [Amended(ack.held, self.stores_as[ack.held]) for ack in acks if ack.held in self.stores_as]
            + [
                Amended(ack.held, ack.outcome, cancelled=True)
                for ack in acks
                if ack.held in self.cancels_instead
            ]
        )

    def count(self, counts: Sequence[Count]) -> None:
        self._call("count")
        self.counted += counts

    def counts(self, *, minute: datetime, worker_id: str) -> list[Count]:
        self._call("counts")
        return []

    def release(self, jobs: Sequence[Released]) -> Returned:
        self._call("release")
        self.released += jobs
        self.mine.difference_update(job.held for job in jobs)
        return Returned(len(jobs), tuple(job.held for job in jobs if job.held in self.cancels_instead))

    def start(self, runs: Sequence[Started]) -> None:
        self._call("start")
        self.started += runs

    def next_due(self) -> datetime | None:
        self._call("next_due")
        return self.due

    def appear(self, worker: WorkerRow, *, started_at: datetime, now: datetime) -> None:
        self._call("appear")
        self.workers[worker.id] = now

    def vanish(self, worker_ids: Sequence[str]) -> int:
        self._call("vanish")
        return sum(self.workers.pop(each, None) is not None for each in worker_ids)
