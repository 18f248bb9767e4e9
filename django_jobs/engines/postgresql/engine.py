"""The verbs on PostgreSQL, where they differ from the portable ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, ClassVar, cast

from django.core.checks import CheckMessage
from django.db import transaction

from django_jobs.engines.listening import Listener
from django_jobs.engines.portable.batches import batches
from django_jobs.engines.portable.claiming import best_first
from django_jobs.engines.portable.removing import checked_final
from django_jobs.engines.portable.values import Row
from django_jobs.engines.postgresql import configuration, copying, listening, removing, statements
from django_jobs.engines.postgresql.arrays import array
from django_jobs.engines.postgresql.notifying import NotifyingEngine
from django_jobs.engines.rows import ClaimedJob, NewJob, Outlook
from django_jobs.engines.stretches import Places, stretches
from django_jobs.states import Status

# The driver puts the values into the text of the statement, which must stay below 1 GB: each of so many
# jobs may have arguments of 256 KiB.
ROWS = 1000


class PostgreSQLEngine(NotifyingEngine):
    """The verbs on PostgreSQL."""

    claims_past: ClassVar[bool] = True
    statements = statements.UNNESTED

    def check(self) -> list[CheckMessage]:
        """Ask whether a pool's settings agree."""
        return configuration.check(self.connection)

    def listener(self) -> Listener:
        """Listen for notifications."""
        return listening.listener(self)

    def send(self, sql: str, rows: Sequence[Row]) -> int:
        """Send the rows as an array a column; the driver's executemany sends a statement a row."""
        written = 0
        with self.cursor() as cursor:
            for part in batches(rows, size=ROWS):
                cursor.execute(sql, [array(column) for column in zip(*part, strict=True)])
                written += int(cursor.rowcount)
        return written

    def insert(self, jobs: Sequence[NewJob]) -> None:
        """Copy them, where the driver can: arrays are dearer for both sides."""
        if copying.AVAILABLE:
            copying.copy(self.connection, jobs)
        else:
            super().insert(jobs)

    def prepare(self, *, statement_timeout: float) -> None:
        """Have the server give up a statement that takes longer, be it at work or waiting for a lock."""
        milliseconds = max(1, int(statement_timeout * 1000))  # 0 would be no limit
        self.ask(statements.BOUND_STATEMENTS, (str(milliseconds), milliseconds))

    def transaction(self, *, savepoint: bool = True) -> AbstractContextManager[None]:
        """Begin READ COMMITTED, whatever the project's `isolation_level`.

        At REPEATABLE READ a claim fails (40001) at each row that another worker has changed since the acks
        before it, and of many workers always one has. A caller's own transaction stays as it is. The server's
        own default is not asked for: that would be one more question each time, and what fails is repeated.
        """
        atomic = transaction.atomic(using=self.alias, savepoint=savepoint)
        outermost = not self.connection.in_atomic_block and self.connection.get_autocommit()
        if outermost and cast(Any, self.connection).isolation_level.name != "READ_COMMITTED":
            return self._read_committed(atomic)
        return atomic

    @contextmanager
    def _read_committed(self, atomic: AbstractContextManager[None]) -> Iterator[None]:
        with atomic:
            self.ask(statements.READ_COMMITTED)
            yield

    def next_due(self) -> datetime | None:
        """Ask without building a query: each wake-up does."""
        first = self.ask(statements.FIRST_SCHEDULED)
        return first[0][0] if first else None

    def queues_with(self, status: Status) -> list[str]:
        """Hop from queue to queue within one statement."""
        return [name for (name,) in self.ask(statements.QUEUES_WITH, (status.value, status.value))]

    def outlook(self) -> Outlook:
        """Ask all of it at once: each answer is a round trip, and each statement a transaction."""
        ((ready, paused, due),) = self.ask(statements.OUTLOOK, (Status.READY.value, Status.READY.value))
        return Outlook(ready, paused, due)

    def claim(
        self, queues: Sequence[str], n: int, *, worker_id: str, token: int, lease: datetime, past: Places = ()
    ) -> list[ClaimedJob]:
        """Find, lock, mark and charge in one statement, a transaction by itself: an idle worker asks once.

        Not `WHERE id IN (SELECT … FOR UPDATE SKIP LOCKED LIMIT n)`: with stale statistics it is planned
        so that the subquery runs again and again, and claims many times n.
        """
        names = list(dict.fromkeys(queues))
        if not names or n < 1:
            return []
        marks = (worker_id, token, lease)
        if past:
            found = self.ask(statements.CLAIM_PAST, (*_past(names, past, n), n, *marks))
        else:
            found = self.ask(statements.CLAIM, (names, n, n, *marks))
        # RETURNING comes in whatever order the rows were changed.
        return best_first([ClaimedJob._make((*row, token, None)) for row in found])

    def prune(self, status: Status, *, before: datetime, limit: int) -> int:
        """Remove all by a statement a table."""
        with self.transaction():
            return removing.prune(self.ask, checked_final(status).value, before, limit)


def _past(queues: Sequence[str], past: Places, n: int) -> Row:
    """Return an array a column of what is looked at as a whole, and of what from a place on."""
    whole, places = stretches(queues, past)
    columns = [[list(column) for column in zip(*rows, strict=True)] for rows in (whole, places)]
    return (*(columns[0] or [[]] * 3), n, *(columns[1] or [[]] * 4), n)
