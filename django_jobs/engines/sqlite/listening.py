"""Hear that another connection has written: all of SQLite is a file, so every commit can be seen in it."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING

from django_jobs.engines.listening import ANY_QUEUE, Listener
from django_jobs.logs import logger
from django_jobs.wire.clock import boottime

if TYPE_CHECKING:
    from django_jobs.engines.sqlite.engine import SQLiteEngine
    from django_jobs.engines.sqlite.inotify import FileWatch

# After a write is seen, its commit may still be on the way to the disk: look after so long (seconds).
COMMIT_COMES = (0.0, 0.001, 0.002, 0.005, 0.010, 0.050)
# Where the kernel does not tell, ask so often (seconds).
ASK_EVERY = 0.05


def listener(engine: SQLiteEngine) -> Listener:
    """Return the best listener that works here."""
    if engine.connection.is_in_memory_db():
        return Listener()  # no other process can write it
    version = DataVersion(engine)
    try:
        return WalListener(version, _watch(engine))
    except OSError as error:
        logger.info("asking each %g s whether the database was written: %s", ASK_EVERY, error)
        return VersionListener(version)


def _watch(engine: SQLiteEngine) -> FileWatch:
    from django_jobs.engines.sqlite.inotify import FileWatch  # brings ctypes, which only a worker needs

    # Without WAL each commit makes and removes a journal: there is no one file to watch.
    if (mode := _pragma(engine, "journal_mode")[0]) != "wal":
        raise OSError(f"the journal mode is {mode}")
    # As SQLite itself names it: the settings' name may be relative, or a link.
    return FileWatch(Path(f"{_pragma(engine, 'database_list')[2]}-wal"))


class DataVersion:
    """A number that changes for a connection when another one has committed, not by its own commits."""

    def __init__(self, engine: SQLiteEngine) -> None:
        self._engine = engine
        self._seen = self._read()

    def changed(self) -> bool:
        """Return whether another connection has committed since the last call."""
        before, self._seen = self._seen, self._read()
        return self._seen != before

    def _read(self) -> int:
        return int(_pragma(self._engine, "data_version")[0])


class VersionListener(Listener):
    """Asks for the data version again and again: 20 times a second, some microseconds each."""

    poll_interval = 2.0

    def __init__(self, version: DataVersion) -> None:
        self._version = version
        self._ask_at = 0.0

    @property
    def next_at(self) -> float:
        """When to ask for the version."""
        return self._ask_at

    def heard(self) -> Set[str]:
        """Ask for the version, if it is time to."""
        if boottime() < self._ask_at:
            return frozenset()
        self._ask_at = boottime() + ASK_EVERY
        return {ANY_QUEUE} if self._version.changed() else frozenset()


class WalListener(Listener):
    """Waits until the write-ahead log is written, which costs nothing, then asks for the data version.

    The kernel tells of the write, and the commit counts only a little later: the version is asked for
    again, a few times. So it is after this worker's own writes, in vain.
    Watched is the file and not its directory, where a project's log may be written all the time;
    the file stays while this connection is open.
    """

    poll_interval = 2.0

    def __init__(self, version: DataVersion, watch: FileWatch) -> None:
        self._version, self._watch = version, watch
        self._ask_at: list[float] = []

    def fileno(self) -> int:
        """Return the watch."""
        return self._watch.fileno()

    @property
    def next_at(self) -> float:
        """When to ask for the version next after a write."""
        return self._ask_at[0] if self._ask_at else float("inf")

    def heard(self) -> Set[str]:
        """Ask for the version, if there was a write."""
        now = boottime()
        if self._watch.written():
            self._ask_at = [now + wait for wait in COMMIT_COMES]
        if self.next_at > now:
            return frozenset()
        self._ask_at = [at for at in self._ask_at if at > now]
        # Also if it has changed: of two writes that the kernel told of as one, the other's may still come.
        return {ANY_QUEUE} if self._version.changed() else frozenset()

    def close(self) -> None:
        """Stop watching."""
        self._watch.close()


def _pragma(engine: SQLiteEngine, name: str) -> tuple[str, ...]:
    # Past Django's cursor: DEBUG would record each of the questions.
    engine.connection.ensure_connection()
    cursor = engine.connection.connection.execute(f"PRAGMA {name}")
    try:
        return tuple(cursor.fetchone())
    finally:
        cursor.close()
