"""The verbs on SQLite, where they differ from the portable ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, tzinfo
from functools import partial
from typing import Any, cast

from django.core.checks import CheckMessage
from django.db import transaction
from django.db.backends.sqlite3.base import DatabaseWrapper

from django_jobs.engines.listening import Listener
from django_jobs.engines.portable.claiming import best_first, charge_next_death
from django_jobs.engines.rows import ClaimedJob
from django_jobs.engines.sqlite import configuration, listening, statements
from django_jobs.engines.sqlite.values import SQLiteValues
from django_jobs.engines.wholesale import WholesaleEngine

# SQLite takes at most 500 SELECTs in one UNION ALL; a worker of so many queues can afford a query each.
MAX_QUEUES = 200


class SQLiteEngine(WholesaleEngine):
    """The verbs on SQLite."""

    @property
    def connection(self) -> DatabaseWrapper:
        """This thread's connection to the alias."""
        return cast(DatabaseWrapper, super().connection)

    @property
    def values(self) -> SQLiteValues:
        """Ids and times as text; never without a zone, since the app requires USE_TZ."""
        return SQLiteValues(cast(tzinfo, self.connection.timezone))

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

    def listener(self) -> Listener:
        """Watch the database's files."""
        return listening.listener(self)

    def next_due(self) -> datetime | None:
        """Read the time as text: one that is spoilt counts as due and keeps no other from its turn."""
        self.connection.ensure_connection()
        with _any_text(self.connection):
            first = self.ask(statements.FIRST_SCHEDULED)
        return self.values.due(first[0][0]) if first else None

    def ready_queues(self) -> list[str]:
        """Hop from queue to queue within one statement."""
        return [name for (name,) in self.ask(statements.READY_QUEUES)]

    def claim(
        self, queues: Sequence[str], n: int, *, worker_id: str, token: int, lease: datetime
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
        with self.transaction(), _any_text(self.connection):
            found = self.ask(statements.claim(len(names)), row)
            # RETURNING comes in whatever order the rows were changed.
            jobs = best_first([values.claimed(each, token) for each in found])
            charge_next_death(self, jobs)
        return jobs


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
