"""The verbs on PostgreSQL, where they differ from the portable ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.core.checks import CheckMessage
from django.db import transaction

from django_jobs.engines.listening import Listener
from django_jobs.engines.portable.batches import batches
from django_jobs.engines.portable.claiming import best_first, charge_next_death
from django_jobs.engines.portable.values import Row
from django_jobs.engines.postgresql import configuration, listening, statements
from django_jobs.engines.postgresql.notifying import NotifyingEngine
from django_jobs.engines.rows import ClaimedJob

# The driver puts the values into the text of the statement, which must stay below 1 GB: each of so many
# jobs may have arguments of 256 KiB.
ROWS = 1000


class PostgreSQLEngine(NotifyingEngine):
    """The verbs on PostgreSQL."""

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
        with self.connection.cursor() as cursor:
            for part in batches(rows, size=ROWS):
                cursor.execute(sql, [list(column) for column in zip(*part, strict=True)])
                written += int(cursor.rowcount)
        return written

    def prepare(self, *, statement_timeout: float) -> None:
        """Have the server give up a statement that takes longer, be it at work or waiting for a lock."""
        milliseconds = max(1, int(statement_timeout * 1000))  # 0 would be no limit
        self.ask(statements.BOUND_STATEMENTS, (str(milliseconds), milliseconds))

    def next_due(self) -> datetime | None:
        """Ask without building a query: each wake-up does."""
        first = self.ask(statements.FIRST_SCHEDULED)
        return first[0][0] if first else None

    def ready_queues(self) -> list[str]:
        """Hop from queue to queue within one statement."""
        return [name for (name,) in self.ask(statements.READY_QUEUES)]

    def claim(
        self, queues: Sequence[str], n: int, *, worker_id: str, token: int, lease: datetime
    ) -> list[ClaimedJob]:
        """Find, lock and mark in one statement.

        Not `WHERE id IN (SELECT … FOR UPDATE SKIP LOCKED LIMIT n)`: with stale statistics it is planned
        so that the subquery runs again and again, and claims many times n.
        """
        names = list(dict.fromkeys(queues))
        if not names or n < 1:
            return []
        # No savepoint: two round trips, before a job that an idle worker was woken for can begin.
        with transaction.atomic(using=self.alias, savepoint=False):
            found = self.ask(statements.CLAIM, (names, n, n, worker_id, token, lease))
            # RETURNING comes in whatever order the rows were changed.
            jobs = best_first([ClaimedJob._make((*row, token, None)) for row in found])
            charge_next_death(self, jobs)
        return jobs
