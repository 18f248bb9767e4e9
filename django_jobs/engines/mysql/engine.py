"""The verbs on MariaDB and MySQL, where they differ from the portable ones."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime, tzinfo
from typing import Any, ClassVar, cast
from uuid import UUID

from django.db import transaction

from django_jobs.engines.mysql import statements
from django_jobs.engines.portable import claiming
from django_jobs.engines.portable.batches import batches
from django_jobs.engines.portable.claiming import best_first, charge_next_death
from django_jobs.engines.portable.values import Row, TextValues
from django_jobs.engines.rows import ClaimedJob, Held
from django_jobs.engines.stretches import Places
from django_jobs.engines.wholesale import WholesaleEngine
from django_jobs.states import Status


class MySQLEngine(WholesaleEngine):
    """The verbs on MariaDB and MySQL."""

    claims_past: ClassVar[bool] = True

    @property
    def values(self) -> TextValues:
        """Ids as digits, which MariaDB's UUID and MySQL's CHAR(32) both take; times as text."""
        # Never None, since the app requires USE_TZ.
        return TextValues(cast(tzinfo, self.connection.timezone))

    def prepare(self, *, statement_timeout: float) -> None:
        """Have the server give up a statement that takes longer; MySQL knows such a limit for SELECT only."""
        if cast(Any, self.connection).mysql_is_mariadb:
            self.ask(statements.BOUND_STATEMENTS, (max(0.001, statement_timeout),) * 2)  # 0 would be no limit
        else:
            self.ask(statements.BOUND_SELECTS, (max(1, int(statement_timeout * 1000)),))
            self.ask(statements.BOUND_LOCK_WAITS, (max(1, int(statement_timeout)),))

    def transaction(self, *, savepoint: bool = True) -> AbstractContextManager[None]:
        """Begin READ COMMITTED, whatever the project's settings say.

        At REPEATABLE READ a look at an empty queue locks the gap where the next job would come, and two
        that look deadlock as soon as one is enqueued (1213). A caller's own transaction stays as it is.
        """
        if not self.connection.in_atomic_block and self.connection.get_autocommit():
            self._read_committed_next()
        return transaction.atomic(using=self.alias, savepoint=savepoint)

    def _read_committed_next(self) -> None:
        # Django's own default is the level of the whole session: then there is nothing to say.
        if cast(Any, self.connection).isolation_level != "read committed":
            self.ask(statements.READ_COMMITTED_NEXT)

    def next_due(self) -> datetime | None:
        """Ask without building a query: each wake-up does."""
        first = self.ask(statements.FIRST_SCHEDULED)
        return first[0][0].replace(tzinfo=self.connection.timezone) if first else None

    def queues_with(self, status: Status) -> list[str]:
        """Hop as the portable one does, without building a query for each queue.

        Not in one statement: within a recursive one each hop reads all of that status.
        """
        names = [name for (name,) in self.ask(statements.FIRST_QUEUE, (status.value,))]
        while names and (found := self.ask(statements.NEXT_QUEUE, (status.value, names[-1]))):
            names.append(found[0][0])
        return names

    def claim(
        self, queues: Sequence[str], n: int, *, worker_id: str, token: int, lease: datetime, past: Places = ()
    ) -> list[ClaimedJob]:
        """Lock the best rows of each queue, merge them, mark the best of all; in plain SQL."""
        if not queues or n < 1:
            return []
        with self.transaction(savepoint=False):
            found = self._look_past(queues, past, n) if past else self._look(queues, n)
            jobs = best_first([self._claimed(row, token) for row in found])[:n]
            for part in batches([job.id.hex for job in jobs]):
                marks = (worker_id, token, self.values.time(lease))
                self.ask(statements.claim(len(part)), (*marks, *part))
            charge_next_death(self, jobs)
        return jobs

    def _look(self, queues: Sequence[str], n: int) -> list[Row]:
        return [row for name in dict.fromkeys(queues) for row in self.ask(statements.PROBE, (name, n))]

    def _look_past(self, queues: Sequence[str], past: Places, n: int) -> list[Row]:
        # Not at the other priorities of these queues: InnoDB finds out that a stretch has ended only by a row
        # that is alive, and walks over all the dead ones to it.
        found = self._look(sorted(set(queues) - {place.queue for place in past}), n)
        for queue, priority, due, job_id in (place for place in past if place.queue in queues):
            moment = self.values.time(due)
            bounds = (queue, priority, moment, moment, job_id.hex)
            found += self.ask(statements.PROBE_PAST, (*bounds, n))
        return found

    def renew(self, held: Sequence[Held], *, lease: datetime) -> list[Held]:
        """Send a statement for each claim: for all rows at once the drivers would send one for each row."""
        return claiming.renew(self, held, lease=lease)

    def _claimed(self, row: Row, token: int) -> ClaimedJob:
        due = row[4].replace(tzinfo=self.connection.timezone)
        return ClaimedJob._make((UUID(str(row[0])), *row[1:4], due, *row[5:], token, None))
