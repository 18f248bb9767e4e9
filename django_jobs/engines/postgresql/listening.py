"""LISTEN, on a connection of its own that does nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Set
from typing import TYPE_CHECKING, Any

from django_jobs.conf import conf
from django_jobs.engines.listening import Listener
from django_jobs.engines.postgresql.notifying import CHANNEL
from django_jobs.logs import logger
from django_jobs.wire.clock import boottime

if TYPE_CHECKING:
    from psycopg import Connection

    from django_jobs.engines.postgresql.engine import PostgreSQLEngine

# How the connection is called in pg_stat_activity.
NAME = "django_jobs listener"
# Look again so long after a notification (seconds): what its process enqueued meanwhile was not told, and the
# second time is for commits that take long.
AGAIN = (0.06, 0.25)
# Poll so often (seconds) while nothing has proved that notifications arrive; say so after so long.
UNPROVEN, PROVEN = 0.5, 2.0
PROOF_TAKES = 5.0


def listener(engine: PostgreSQLEngine) -> Listener:
    """Return an open listener; one that hears nothing with psycopg 2, which has another interface."""
    from django.db.backends.postgresql import psycopg_any  # fails without the driver, on other databases

    if not psycopg_any.is_psycopg3:
        return Listener()
    return NotificationListener(engine, _connect(engine))


def _connect(engine: PostgreSQLEngine) -> Connection[Any]:
    import psycopg

    direct = conf().LISTEN_ALIAS
    if direct is not None and direct != engine.alias:
        engine = type(engine)(direct)
        engine.limit_waits(seconds=PROOF_TAKES)
    # Not from a pool: a connection that is lent for a transaction hears nothing between two.
    given = engine.connection.get_connection_params()
    return psycopg.connect(**{**given, "application_name": NAME, "autocommit": True})


class NotificationListener(Listener):
    """Hears what NOTIFY says.

    A pooler between here and the server may take LISTEN and never pass anything on. So a notification is
    sent to itself the way all others take, by the project's usual connection.
    """

    def __init__(self, engine: PostgreSQLEngine, connection: Connection[Any]) -> None:
        self.poll_interval = UNPROVEN
        self._connection = connection
        self._proof = f"{CHANNEL}_{secrets.token_hex(8)}"
        self._unproven_at = boottime() + PROOF_TAKES
        self._again: dict[str, list[float]] = {}  # queue → when to look for it again
        try:
            connection.execute(f"LISTEN {CHANNEL}; LISTEN {self._proof}")
            engine.ask("SELECT pg_notify(%s, '')", (self._proof,))
        except BaseException:
            self.close()
            raise

    def fileno(self) -> int:
        """Return the connection's socket."""
        return self._connection.fileno()

    @property
    def next_at(self) -> float:
        """When to look again after a notification, or to say that none arrives."""
        return min([self._unproven_at, *(moments[0] for moments in self._again.values())])

    def heard(self) -> Set[str]:
        """Read what has arrived."""
        now = boottime()
        queues = self._notifications()
        again = self._due(now)
        self._again |= {queue: [now + wait for wait in AGAIN] for queue in queues}
        if self._unproven_at <= now:
            self._say_that_none_arrives()
        return queues | again

    @property
    def recent(self) -> Set[str]:
        """Return the queues that are to be looked for again."""
        return self._again.keys()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _due(self, now: float) -> Set[str]:
        # Each queue by itself: else one that is told of all the time would put off the others' turn.
        due = {queue for queue, moments in self._again.items() if moments[0] <= now}
        for queue in due:
            self._again[queue] = [at for at in self._again[queue] if at > now]
        self._again = {queue: moments for queue, moments in self._again.items() if moments}
        return due

    def _notifications(self) -> Set[str]:
        arrived: Set[str] = frozenset()
        while more := self._read():  # some KiB at a time
            arrived |= more
        return arrived

    def _read(self) -> Set[str]:
        arrived = set()
        # Not `notifies()`: it is for a caller that waits there.
        self._connection.pgconn.consume_input()
        while (notification := self._connection.pgconn.notifies()) is not None:
            if notification.relname.decode() == CHANNEL:
                arrived.add(notification.extra.decode())
            else:
                self.poll_interval, self._unproven_at = PROVEN, float("inf")
        return arrived

    def _say_that_none_arrives(self) -> None:
        self._unproven_at = float("inf")
        logger.warning(
            "the database's notifications do not arrive here, so this worker polls each %g s; where a pooler "
            "is in between, let DJANGO_JOBS['LISTEN_ALIAS'] name a direct connection",
            UNPROVEN,
        )
