"""The verbs on SQLite, where they differ from the portable ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, tzinfo
from functools import partial
from typing import Any, cast

from django.core.checks import CheckMessage
from django.db import transaction
from django.db.backends.sqlite3.base import DatabaseWrapper

from django_jobs.engines.base import Engine
from django_jobs.engines.portable.claiming import best_first, charge_next_death
from django_jobs.engines.rows import Ack, ClaimedJob, Held, NewJob, Released, Started
from django_jobs.engines.sqlite import configuration, statements
from django_jobs.engines.sqlite.values import Row, Values
from django_jobs.engines.transient import is_transient

# SQLite takes at most 500 SELECTs in one UNION ALL; a worker of so many queues can afford a query each.
MAX_QUEUES = 200


class _NotAll(Exception):
    """Some row of a batch was not ours any more."""


class SQLiteEngine(Engine):
    """The verbs on SQLite."""

    @property
    def connection(self) -> DatabaseWrapper:
        """This thread's connection to the alias."""
        return cast(DatabaseWrapper, super().connection)

    @property
    def _values(self) -> Values:
        # Not None: the app requires USE_TZ.
        return Values(cast(tzinfo, self.connection.timezone))

    def check(self) -> list[CheckMessage]:
        """Ask for RETURNING, and for the modes that let several processes write without failing."""
        return configuration.check(self.connection, sqlite3.sqlite_version_info)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begin IMMEDIATE, whatever the project's settings say.

        A deferred transaction that reads before it writes fails at once, without waiting, when
        another one wrote in between (BUSY_SNAPSHOT). Inside a caller's own transaction it is too
        late to choose.
        """
        with ExitStack() as stack:
            with _immediate(self.connection):
                stack.enter_context(transaction.atomic(using=self.alias))
            yield

    def enqueue(self, jobs: Sequence[NewJob]) -> None:
        """Convert rows in a fraction of the time that the model's fields take."""
        values = self._values
        if len(jobs) == 1:
            self._execute(statements.INSERT_JOB, values.new(jobs[0]))
        elif jobs:
            with self.transaction():
                self._execute_many(statements.INSERT_JOB, [values.new(job) for job in jobs])

    def next_due(self) -> datetime | None:
        """Read the time as text: one that is spoilt counts as due and keeps no other from its turn."""
        self.connection.ensure_connection()
        with _any_text(self.connection):
            first = self._execute(statements.FIRST_SCHEDULED, ())
        return self._values.due(first[0][0]) if first else None

    def claim(
        self, queues: Sequence[str], n: int, *, worker_id: str, token: int, lease: datetime
    ) -> list[ClaimedJob]:
        """Find and mark in one UPDATE … RETURNING: one statement, nothing to lock first."""
        names = list(dict.fromkeys(queues))
        if not names or n < 1:
            return []
        if len(names) > MAX_QUEUES:
            return super().claim(names, n, worker_id=worker_id, token=token, lease=lease)
        values = self._values
        probes = [value for name in names for value in (name, n)] + [n] * (len(names) > 1)
        row = (worker_id, token, values.time(lease), *probes)
        with self.transaction(), _any_text(self.connection):
            found = self._execute(statements.claim(len(names)), row)
            # RETURNING comes in whatever order the rows were changed.
            jobs = best_first([values.claimed(each, token) for each in found])
            charge_next_death(self, jobs)
        return jobs

    def start(self, runs: Sequence[Started]) -> None:
        """Send one statement for all."""
        if runs:
            values = self._values
            rows = [(values.time(run.started_at), *values.fence(run.held)) for run in runs]
            with self.transaction():
                self._execute_many(statements.START, rows)

    def renew(self, held: Sequence[Held], *, lease: datetime) -> list[Held]:
        """Send one statement for all; look which are lost only when one is."""
        if not held:
            return []
        values = self._values
        until = values.time(lease)
        with self.transaction():
            rows = [(until, *values.fence(one)) for one in held]
            if self._execute_many(statements.RENEW, rows) == len(held):
                return []
            return super().renew(held, lease=lease)

    def release(self, jobs: Sequence[Released]) -> int:
        """Send one statement for all."""
        if not jobs:
            return 0
        values = self._values
        with self.transaction():
            return self._execute_many(statements.RELEASE, [values.released(job) for job in jobs])

    def ack(self, acks: Sequence[Ack]) -> list[Held]:
        """Send one statement a table for all; go row by row only when one is lost or cannot be stored."""
        if not acks:
            return []
        with self.transaction():
            return [] if self._wholly(lambda: self._ack_all(acks)) else super().ack(acks)

    def _ack_all(self, acks: Sequence[Ack]) -> bool:
        rows = self._values.acked(acks)
        written = self._execute_many(statements.SETTLE, rows.settled)
        written += self._execute_many(statements.INTERRUPT, rows.interrupted)
        if written < len(acks):
            return False
        self._execute_many(statements.INSERT_ATTEMPT, rows.attempts)
        self._execute_many(statements.INSERT_ERROR, rows.errors)
        return True

    def _wholly(self, write: Callable[[], bool]) -> bool:
        """Run all of it or, when a row is lost or refused, none of it."""
        try:
            with self.transaction():
                if not write():
                    raise _NotAll
        except Exception as error:  # sqlite3 refuses values with OverflowError and UnicodeError as well
            if is_transient(error):
                raise
            return False
        return True

    def _execute(self, sql: str, row: Row) -> list[Row]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, row)
            return cursor.fetchall() if cursor.description else []

    def _execute_many(self, sql: str, rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        with self.connection.cursor() as cursor:
            cursor.executemany(sql, rows)
            return int(cursor.rowcount)


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
def _immediate(connection: Any) -> Iterator[None]:
    connection.ensure_connection()  # which reads the mode from the settings
    usual, connection.transaction_mode = connection.transaction_mode, "IMMEDIATE"
    try:
        yield
    finally:
        connection.transaction_mode = usual
