"""The verbs on SQLite, where they differ from the portable ones."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime, tzinfo
from functools import partial
from typing import Any, ClassVar, cast

from django.core.checks import CheckMessage
from django.db import OperationalError, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.backends.utils import CursorWrapper

from django_jobs.engines.listening import Listener
from django_jobs.engines.nature import Removal
from django_jobs.engines.portable.claiming import best_first, charge_next_death
from django_jobs.engines.portable.removing import checked_final
from django_jobs.engines.portable.values import Row
from django_jobs.engines.rows import ClaimedJob, Lease, Rescued
from django_jobs.engines.sqlite import configuration, listening, removing, statements
from django_jobs.engines.sqlite.placeholders import converting_once
from django_jobs.engines.sqlite.values import SQLiteValues, is_id
from django_jobs.engines.stretches import Places
from django_jobs.engines.wholesale import WholesaleEngine
from django_jobs.states import Status
from django_jobs.uuid7 import uuid7

logger = logging.getLogger("django_jobs.engines")

# SQLite takes at most 500 SELECTs in one UNION ALL; a worker of so many queues can afford a query each.
MAX_QUEUES = 200


class SQLiteEngine(WholesaleEngine):
    """The verbs on SQLite."""

    # It has none of its own: it runs in the processes that use it.
    on_hosts_clock: ClassVar[bool] = True
    # Whoever writes waits for whoever removes, and sleeps longer than that: of thirty writers one at most.
    removal: ClassVar[Removal] = Removal(most=400, seconds=0.003, rests=30)

    @property
    def connection(self) -> DatabaseWrapper:
        """This thread's connection to the alias."""
        return cast(DatabaseWrapper, super().connection)

    @property
    def values(self) -> SQLiteValues:
        """Ids and times as text; never without a zone, since the app requires USE_TZ."""
        return SQLiteValues(cast(tzinfo, self.connection.timezone))

    def cursor(self) -> CursorWrapper:
        """Convert the placeholders of each statement once."""
        return converting_once(super().cursor())

    def check(self) -> list[CheckMessage]:
        """Ask for RETURNING, and for the modes that let several processes write without failing."""
        return configuration.check(self.connection, sqlite3.sqlite_version_info)

    def transaction(self, *, savepoint: bool = True) -> AbstractContextManager[None]:
        """Begin IMMEDIATE, whatever the project's settings say.

        A deferred transaction that reads before it writes fails at once, without waiting, when
        another one wrote in between (BUSY_SNAPSHOT). Inside a caller's own transaction it is too
        late to choose.
        """
        atomic = transaction.atomic(using=self.alias, savepoint=savepoint)
        return atomic if self.connection.in_atomic_block else _immediately(self.connection, atomic)

    def listener(self) -> Listener:
        """Watch the database's files."""
        return listening.listener(self)

    def next_due(self) -> datetime | None:
        """Read the time as text: one that is spoilt counts as due and keeps no other from its turn."""
        self.connection.ensure_connection()
        with _any_text(self.connection):
            first = self.ask(statements.FIRST_SCHEDULED)
        return self.values.due(first[0][0]) if first else None

    def queues_with(self, status: Status) -> list[str]:
        """Leave out what is no name: it can be asked for by nobody."""
        return [name for name in self._queues_with(status) if isinstance(name, str)]

    def ready_queues(self) -> list[str]:
        """Return what is no name as well: whoever claims such a job finds out what is wrong with it."""
        return self._queues_with(Status.READY)

    def _queues_with(self, status: Status) -> list[str]:
        """Hop from queue to queue within one statement."""
        return [name for (name,) in self.ask(statements.QUEUES_WITH, (status.value, status.value))]

    def claim(
        self, queues: Sequence[str], n: int, *, worker_id: str, token: int, lease: datetime, past: Places = ()
    ) -> list[ClaimedJob]:
        """Find and mark in one UPDATE … RETURNING: one statement, nothing to lock first."""
        names = list(dict.fromkeys(queues))
        if not names or n < 1:
            return []
        if len(names) > MAX_QUEUES:
            return super().claim(names, n, worker_id=worker_id, token=token, lease=lease)
        values = self.values
        probes = [value for name in names for value in (name, n)] + [n] * (len(names) > 1)
        row = (worker_id, token, values.time(lease), *probes)
        with self.transaction(savepoint=False):
            found = self._take(statements.claim(len(names)), row, token)
            if not all(is_id(each[0]) for each in found):
                self._name("status = 'running' AND claim_token = %s", token)
                found = self._taken(token)
            # RETURNING comes in whatever order the rows were changed.
            jobs = best_first([values.claimed(each, token) for each in found])
            charge_next_death(self, jobs)
        return jobs

    def _take(self, claim: str, row: Row, token: int) -> list[Row]:
        try:
            return self.ask(claim, row)
        except OperationalError:
            # Text that is no UTF-8 stands in one of them. All are marked before the first is read. To read
            # every claim as one that may hold such text would take twice as long.
            if taken := self._taken(token):
                return taken
            raise  # something else, and nothing was marked

    def _taken(self, token: int) -> list[Row]:
        with _any_text(self.connection):
            return self.ask(statements.CLAIMED, (token,))

    def leases(self) -> list[Lease]:
        """Read the times as text: one that is spoilt keeps no other from being looked at."""
        self._mend_claims()
        with _any_text(self.connection):
            found = set(self.ask(statements.LEASES))
        return [Lease(token, self.values.due(ends)) for token, ends in found]

    def promote(self, *, now: datetime, limit: int) -> int:
        """See to it first that none is passed over for ever because of what stands in its row."""
        with self.transaction():
            for mend in statements.MEND_DUE:
                self.ask(mend)
            promoted = super().promote(now=now, limit=limit)
            if promoted < limit and (due := self.next_due()) is not None and due <= now:
                self._name("status = 'scheduled' AND run_after <= %s", self.values.time(now))
            return promoted

    def rescue(self, *, now: datetime, limit: int, over: Sequence[Lease] | None = None) -> list[Rescued]:
        """See to the same here."""
        with self.transaction():
            self._mend_claims()
            self._name("status = 'running' AND lease < %s", self.values.time(now))
            return super().rescue(now=now, limit=limit, over=over)

    def prune(self, status: Status, *, before: datetime, limit: int) -> int:
        """Remove in plain SQL: a transaction here keeps all others from writing."""
        with self.transaction():
            return removing.prune(self.ask, checked_final(status).value, self.values.time(before), limit)

    def _mend_claims(self) -> None:
        if self.ask(statements.ENDLESS):  # asked first: an update of nothing waits for the lock too
            self.ask(statements.MEND_CLAIMS)

    def _name(self, which: str, value: Any) -> None:
        """Give an id to those of these jobs that have none: nobody could end their claim."""
        for (row,) in self.ask(statements.UNNAMED.format(which), (value,)):
            job_id = uuid7()
            self.ask(statements.NAME, (job_id.hex, row))
            logger.error("The id of a job was no UUID; from now on it is %s", job_id)


@contextmanager
def _any_text(connection: Any) -> Iterator[None]:
    """Read text that is no UTF-8 as well: one spoilt row must not fail the claim of all others."""
    raw = connection.connection
    usual, raw.text_factory = raw.text_factory, partial(str, encoding="utf-8", errors="surrogateescape")
    try:
        yield
    finally:
        raw.text_factory = usual


@contextmanager
def _immediately(connection: Any, atomic: AbstractContextManager[None]) -> Iterator[None]:
    with ExitStack() as stack:
        with _immediate(connection):
            stack.enter_context(atomic)
        yield


@contextmanager
def _immediate(connection: Any) -> Iterator[None]:
    connection.ensure_connection()  # which reads the mode from the settings
    usual, connection.transaction_mode = connection.transaction_mode, "IMMEDIATE"
    try:
        yield
    finally:
        connection.transaction_mode = usual
