"""A file that stays young while the worker is well, for whoever restarts one that is not.

Well means: the loop turns, the lease is good, and the desk has renewed it at least once. The loop
writes the file itself, so that a loop that hangs lets it grow old.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from django_jobs.exceptions import JobsError
from django_jobs.logs import logger
from django_jobs.wire.clock import boottime, boottime_ns
from django_jobs.wire.slips import Slips
from django_jobs.worker.trouble import SAY_EVERY

# How often it is written (seconds): a probe that allows a minute overlooks a slow turn, and no death.
WRITE_EVERY = 5.0
# How soon a worker that is not well is looked at again (seconds).
ASK_EVERY = 0.25
# What every such file begins with; a file that does not is somebody else's, and is not overwritten.
_OURS = b'{"worker_id":'
# NONBLOCK: of a pipe, the opening would wait for a reader, and the whole worker with it.
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK


class State(StrEnum):
    """What the worker is at."""

    STARTING = "starting"  # the desk has not reached the database yet
    RUNNING = "running"
    STOPPING = "stopping"


class HealthFileRefused(JobsError):
    """The health file cannot be where it was asked for."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"--health-file {path}: {reason}")


class HealthFile:
    """One worker's health file; says that the worker is starting as soon as it is built.

    Args:
        path: where it is written.
        worker_id: whose health it tells.
        slips: the page with the lease.
        lease: how long a renewal is good for (seconds).

    Raises:
        HealthFileRefused: nothing can be written there, or something else is there already.
    """

    def __init__(self, path: str, *, worker_id: str, slips: Slips, lease: float) -> None:
        self._path = Path(path).absolute()
        self._worker_id, self._slips, self._lease_ns = worker_id, slips, int(lease * 1e9)
        self._unrenewed_ns = slips.lease_ns
        self._write_at = self._say_at = 0.0
        self._refuse_what_is_not_ours()
        try:
            self._write(State.STARTING)
        except OSError as error:
            raise HealthFileRefused(self._path, f"it cannot be written ({_words(error)})") from error

    def keep(self, *, stopping: bool) -> float:
        """Write the file anew if it is due and the worker is well; return when to come again (seconds)."""
        if boottime() >= self._write_at:
            if well := self._well:
                self._try_to_write(State.STOPPING if stopping else State.RUNNING)
            self._write_at = boottime() + (WRITE_EVERY if well else ASK_EVERY)
        return max(0.0, self._write_at - boottime())

    def remove(self) -> None:
        """Remove the file: nobody needs to look after a worker that has stopped in order."""
        with suppress(OSError):
            self._path.unlink()

    @property
    def _renewed(self) -> bool:
        return self._slips.lease_ns != self._unrenewed_ns

    @property
    def _well(self) -> bool:
        return self._renewed and boottime_ns() <= self._slips.lease_ns

    def _refuse_what_is_not_ours(self) -> None:
        # A device or a directory would be replaced by the file, as root even /dev/null.
        try:
            if not self._path.exists():
                return
            if self._path.is_file() and not self._path.is_symlink():
                with self._path.open("rb") as there:
                    if there.read(len(_OURS)) in (b"", _OURS):
                        return
        except OSError as error:
            raise HealthFileRefused(self._path, f"it cannot be looked at ({_words(error)})") from error
        raise HealthFileRefused(self._path, "something else is there, which would be overwritten")

    def _try_to_write(self, state: State) -> None:
        try:
            self._write(state)
        except OSError as error:
            # The jobs go on; it is whoever looks at the file that will think otherwise.
            if boottime() >= self._say_at:
                logger.error("the health file %s grows old: %s", self._path, _words(error))
                self._say_at = boottime() + SAY_EVERY

    def _write(self, state: State) -> None:
        # Beside it first, so that nobody ever reads half a file. Not flushed to the disk: that could
        # take seconds, and after a crash of the host the file says nothing anyway.
        beside = self._path.with_name(f"{self._path.name}.new")
        fd = os.open(beside, _FLAGS, 0o644)
        with open(fd, "w") as file:
            json.dump(self._content(state), file)
        beside.replace(self._path)

    def _content(self, state: State) -> dict[str, str | None]:
        now = datetime.now(UTC)
        ago = timedelta(microseconds=(boottime_ns() - (self._slips.lease_ns - self._lease_ns)) // 1000)
        return {
            "worker_id": self._worker_id,
            "state": state.value,
            "time": now.isoformat(timespec="milliseconds"),
            "renewed": (now - ago).isoformat(timespec="milliseconds") if self._renewed else None,
        }


def _words(error: OSError) -> str:
    return error.strerror or str(error)
