"""Each attempt starts clean: nothing the one before left open reaches the next.

Connections belong to the thread that opened them, so all of this is about the thread it is called in.
"""

from __future__ import annotations

import select
import threading
from contextlib import suppress

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from django_jobs.runner.birth import flush_output
from django_jobs.wire.clock import boottime

# A connection that rested longer is asked before it is used again, also where nothing is heard of its end.
TRUSTED_FOR = 5.0


class _Use(threading.local):
    """When the connections of a thread were used last, and whether it has kept any."""

    last = 0.0
    has_kept = True  # it has not looked yet


_use = _Use()


def before_attempt() -> None:
    """Throw away connections that died while this runner had nothing to do."""
    if not _use.has_kept:
        return
    rested = boottime() - _use.last > TRUSTED_FOR
    for connection in _open_connections():
        if (rested or not _is_silent(connection)) and not connection.is_usable():
            _throw_away(connection)


def after_attempt() -> None:
    """Roll back what the attempt left open; keep connections that are fit for the next one."""
    flush_output()
    opened = _open_connections()
    for connection in opened:
        connection.queries_log.clear()
        if not _fit_for_another(connection):
            _throw_away(connection)
    _use.last, _use.has_kept = boottime(), bool(opened)


def after_interruption() -> None:
    """Close what the attempt used: it may have been stopped in the middle of an answer."""
    flush_output()
    close_connections()


def close_connections() -> None:
    """Close every connection of this thread; the next job opens what it needs."""
    for connection in _open_connections():
        _throw_away(connection)


def _open_connections() -> list[BaseDatabaseWrapper]:
    return [each for each in connections.all(initialized_only=True) if each.connection is not None]


def _is_silent(connection: BaseDatabaseWrapper) -> bool:
    """Return whether the server has sent nothing: unasked it speaks only to say goodbye."""
    # A look at the socket takes a microsecond where asking the server takes a round trip. A driver
    # that does not show its socket is asked, and SQLite's has nobody to ask.
    if not hasattr(connection.connection, "fileno"):
        return False
    readable = select.poll()
    try:
        readable.register(connection.connection, select.POLLIN)
    except Exception:  # a closed connection has no socket, which each driver says in its own way
        return False
    return not readable.poll(0)


def _fit_for_another(connection: BaseDatabaseWrapper) -> bool:
    if connection.in_atomic_block or not connection.get_autocommit() or connection.closed_in_transaction:
        return False
    try:
        # A transaction opened behind Django's back (a bare BEGIN); free where there is none.
        connection.connection.rollback()
    except Exception:
        return False
    if connection.errors_occurred:
        connection.errors_occurred = False
        return connection.is_usable()
    return True


def _throw_away(connection: BaseDatabaseWrapper) -> None:
    # The wrapper goes with the connection: it may still count atomic blocks nobody will leave.
    del connections[connection.alias]
    with suppress(Exception):  # it may be broken already
        connection.connection.close()
    with suppress(Exception):
        # Closed or not, a pool lends one less until it has this one back, and in the end none.
        connection._close()  # type: ignore[attr-defined]
    connection.connection = None  # who still refers to the wrapper must not close it once more
