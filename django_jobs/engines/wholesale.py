"""The hot verbs for a whole batch at once, in plain SQL; what vendors share of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar

from django.db.backends.utils import CursorWrapper

from django_jobs.engines.base import Engine
from django_jobs.engines.portable import answering, expiring
from django_jobs.engines.portable.statements import PAUSED, ROW_BY_ROW, Statements
from django_jobs.engines.portable.values import Row, Values
from django_jobs.engines.rows import Ack, Amended, Held, NewJob, Released, Returned, Started
from django_jobs.engines.transient import undid_only_rows


class _NotAll(Exception):
    """Some row of a batch was not ours any more."""


class WholesaleEngine(Engine):
    """Sends each statement once for all rows; goes row by row only when one is lost or cannot be stored.

    A row that somebody wants cancelled counts as lost here: it goes another way than the others.

    Rows go in the order of their ids: two writers that share some never wait for each other in a ring.
    """

    statements: ClassVar[Statements] = ROW_BY_ROW

    @property
    def values(self) -> Values:
        """What turns verbs' arguments into rows."""
        return Values()

    def cursor(self) -> CursorWrapper:
        """Return what the hot statements go through."""
        return self.connection.cursor()

    def ask(self, sql: str, values: Row = ()) -> list[Row]:
        """Execute one statement and return its rows, none where it has none."""
        with self.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def send(self, sql: str, rows: Sequence[Row]) -> int:
        """Execute one statement for all rows; return how many it wrote."""
        if not rows:
            return 0
        with self.cursor() as cursor:
            cursor.executemany(sql, rows)
            return int(cursor.rowcount)

    def enqueue(self, jobs: Sequence[NewJob]) -> None:
        """Convert rows in a fraction of the time that the model's fields take."""
        if len(jobs) == 1:
            self.ask(ROW_BY_ROW.insert_job, self.values.new(jobs[0]))
        elif jobs:
            with self.transaction():
                self.insert(jobs)

    def insert(self, jobs: Sequence[NewJob]) -> None:
        """Store several within a transaction."""
        values = self.values
        self.send(self.statements.insert_job, [values.new(job) for job in jobs])

    def paused(self) -> list[str]:
        """Ask without building a query: each look of an idle worker does."""
        return sorted(name for (name,) in self.ask(PAUSED))

    def start(self, runs: Sequence[Started]) -> None:
        """Send one statement for all."""
        if runs:
            values = self.values
            rows = [(values.time(run.started_at), *values.fence(run.held)) for run in sorted(runs)]
            with self.transaction(savepoint=False):
                self.send(self.statements.start, rows)

    def renew(self, held: Sequence[Held], *, lease: datetime) -> list[Held]:
        """Send one statement for all; look which are lost only when one is."""
        if not held:
            return []
        values = self.values
        until = values.time(lease)
        with self.transaction():
            rows = [(until, *values.fence(one)) for one in sorted(held)]
            if self.send(self.statements.renew, rows) == len(held):
                return []
            return super().renew(held, lease=lease)

    def release(self, jobs: Sequence[Released]) -> Returned:
        """Send one statement for all; go row by row through those it left, when it left any."""
        if not jobs:
            return Returned()
        values = self.values
        rows = [values.released(job) for job in sorted(jobs, key=lambda one: one.held)]
        with self.transaction(savepoint=False):
            released = self.send(self.statements.release, rows)
            if released == len(jobs):
                return Returned(released)
            others = super().release(jobs)
            return others._replace(ours=released + others.ours)

    def ack(self, acks: Sequence[Ack]) -> list[Amended]:
        """Send one statement a table for all; go row by row only when some row is not as it should be."""
        if not acks:
            return []
        with self.transaction(savepoint=False):
            if self._wholly(lambda: self._ack_all(acks)):
                return answering.answer(self, acks, [])
            return super().ack(acks)

    def _ack_all(self, acks: Sequence[Ack]) -> bool:
        rows = self.values.acked(sorted(acks, key=lambda one: one.outcome.job_id.int))
        written = self.send(self.statements.settle, rows.settled)
        written += self.send(self.statements.interrupt, rows.interrupted)
        if written < len(acks):
            return False
        self.send(self.statements.insert_attempt, rows.attempts)
        self.send(self.statements.insert_error, rows.errors)
        expiring.note(self, acks)
        return True

    def _wholly(self, write: Callable[[], bool]) -> bool:
        """Run all of it or, when a row is lost or refused, none of it."""
        try:
            with self.transaction():
                if not write():
                    raise _NotAll
        except Exception as error:  # drivers refuse values with ValueError and OverflowError as well
            if not undid_only_rows(error, self.connection):
                raise
            return False
        return True
