"""Where a run writes down what it says of itself, and how that gets away without keeping the run waiting.

Each change is sent at once while they are few; of many a second the newest few, and the last
one a moment later by a thread of its own. A message holds all that was said, so one that is left
out or lost costs nothing once another arrives.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django_jobs.notes import Note, Progress
from django_jobs.serializers.limits import LINE_LENGTH, LOG_LINES, LOG_SIZE, NOTE_LENGTH, cut, finite
from django_jobs.serializers.payloads import dump_meta, load_meta

# Of a run that never stops talking so many messages are sent at once, then one each so many seconds.
AT_ONCE, EVERY = 5, 0.25
# Bytes for the line that says how many lines are missing.
_ROOM = 60

Send = Callable[[Note, bool], None]


class Log:
    """The newest lines of what was logged."""

    def __init__(self) -> None:
        self._lines: deque[tuple[str, int]] = deque()
        self._size = self._dropped = 0

    def add(self, text: str) -> None:
        """Append a line, or several; the oldest go when there are too many."""
        lines = text.removesuffix("\n").rsplit("\n", LOG_LINES)
        if len(lines) > LOG_LINES:
            self._dropped += lines.pop(0).count("\n") + 1
        for line in lines:
            self._append(cut(line, LINE_LENGTH))

    def _append(self, line: str) -> None:
        size = len(line.encode()) + 1
        self._lines.append((line, size))
        self._size += size
        while len(self._lines) > LOG_LINES or self._size > LOG_SIZE - _ROOM:
            self._size -= self._lines.popleft()[1]
            self._dropped += 1

    def __str__(self) -> str:
        lines = [line for line, _ in self._lines]
        if self._dropped:
            lines.insert(0, f"... {self._dropped:,} older lines dropped ...")
        return "\n".join(lines)


class Notebook:
    """What one run has said; may be written from several threads.

    Args:
        meta: what an attempt before has saved, encoded.
        send: takes a note and whether it may wait for room; it raises BlockingIOError where there is
            none. None sends nothing.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        meta: str | None = None,
        *,
        send: Send | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._saved, self._send, self._clock = meta, send, clock
        self._meta: dict[str, Any] | None = None
        self._progress: Progress | None = None
        self._log: Log | None = None
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._next_at = float("-inf")
        self._unsent = False
        self._later: threading.Timer | None = None

    @property
    def meta(self) -> dict[str, Any]:
        """The job's own dict; read from its row when it is first asked for."""
        if self._meta is None:
            self._meta = load_meta(self._saved)
        return self._meta

    @property
    def note(self) -> Note:
        """All that was said so far."""
        return Note(self._progress, self._saved, None if self._log is None else str(self._log))

    def progress(self, current: float, total: float | None, note: object) -> None:
        """Write down how far the run is."""
        done = finite("current", current)
        most = None if total is None else finite("total", total, least=0)
        said = Progress(done, most, cut(str(note), NOTE_LENGTH))
        if self._is_ours:
            with self._lock:
                self._progress = said
                self._changed()

    def save_meta(self) -> None:
        """Write down the meta as it is now."""
        saved = dump_meta(self.meta)
        if self._is_ours:
            with self._lock:
                self._saved = saved
                self._changed()

    def log(self, text: object) -> None:
        """Write down a line or more."""
        said = str(text)
        if self._is_ours:
            with self._lock:
                self._log = self._log or Log()
                self._log.add(said)
                self._changed()

    def close(self) -> None:
        """Send what was not sent yet, and nothing from now on."""
        if not self._is_ours:
            return
        with self._lock:
            if self._later is not None:
                self._later.cancel()
            if self._unsent:
                self._try(wait=True)
            self._send = None

    @property
    def _is_ours(self) -> bool:
        # A process that the job has forked has a copy, whose lock nobody may ever open; and two
        # processes that each send all they know would take turns in hiding what the other has said.
        return os.getpid() == self._owner

    def _changed(self) -> None:
        self._unsent = self._send is not None
        if self._unsent and self._later is None:
            self._send_or_defer()

    def _send_or_defer(self) -> None:
        now = self._clock()
        begin = max(self._next_at, now - (AT_ONCE - 1) * EVERY)
        if begin <= now:
            self._next_at = begin + EVERY
            self._try(wait=False)
        if self._unsent:
            self._send_later()

    def _try(self, *, wait: bool) -> None:
        # No room, or no descriptor left, or the worker is gone: none of it is the job's fault.
        with suppress(OSError):
            if self._send is not None:
                self._send(self.note, wait)
                self._unsent = False

    def _send_later(self) -> None:
        later = threading.Timer(EVERY, self._now)
        later.daemon = True
        with suppress(RuntimeError):  # no thread can be started: the next change tries again
            later.start()
            self._later = later

    def _now(self) -> None:
        with self._lock:
            self._later = None
            if self._unsent:
                self._send_or_defer()
