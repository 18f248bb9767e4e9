"""What loop and desk tell each other."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Set
from dataclasses import dataclass, field
from typing import NamedTuple

from django_jobs.engines.rows import Cancel, ClaimedJob, Held
from django_jobs.notes import Note
from django_jobs.outcomes import Outcome

# So many rows a transaction settles at most.
UNIT = 200


class GivenBack(NamedTuple):
    """A claimed job that did not run; delay (seconds) and reason where it should wait.

    `turned_away` says that it only waits for room here: a worker that is to run all that is due is not done.
    """

    job: ClaimedJob
    delay: float | None = None
    reason: str = ""
    turned_away: bool = False


class Begun(NamedTuple):
    """A run that has lasted so long that its start is worth a write; CLOCK_BOOTTIME."""

    held: Held
    started_ns: int


@dataclass(slots=True)
class Work:
    """What the desk has to write for the loop."""

    finished: list[tuple[ClaimedJob, Outcome]] = field(default_factory=list)
    given_back: list[GivenBack] = field(default_factory=list)
    begun: list[Begun] = field(default_factory=list)
    notes: dict[Held, Note] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.finished or self.given_back or self.begun or self.notes)

    def add(self, other: Work) -> None:
        """Append another's work to this."""
        self.finished += other.finished
        self.given_back += other.given_back
        self.begun += other.begun
        self.notes.update(other.notes)

    def take(self, most: int) -> Work:
        """Take out up to so many of each kind, and all notes: at most one for each slot."""
        taken = Work(self.finished[:most], self.given_back[:most], self.begun[:most], self.notes)
        del self.finished[:most], self.given_back[:most], self.begun[:most]
        self.notes = {}
        return taken


class Inbox:
    """From loop to desk: work to write, how many jobs are wanted, when to stop."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._work = Work()
        self._wanted = self._delivered = 0
        self._stop = threading.Event()
        self._stirred = False  # something came in since the last take, and the descriptor says so

    def _stir(self) -> None:
        if not self._stirred:
            self._stirred = True
            os.eventfd_write(self._event, 1)

    def put(self, work: Work) -> None:
        """Hand over work."""
        with self._lock:
            self._work.add(work)
            self._stir()

    def put_back(self, work: Work) -> None:
        """Return work that could not be written, before all newer."""
        with self._lock:
            work.add(self._work)
            self._work = work

    def want(self, jobs: int, *, received: int) -> None:
        """Ask for so many jobs; replaces what was asked before.

        Args:
            jobs: how many more.
            received: how many have arrived so far in all; what is under way counts towards `jobs`.
        """
        with self._lock:
            wanted = max(0, jobs - (self._delivered - received))
            if wanted > self._wanted:
                self._stir()
            self._wanted = wanted

    def stop(self) -> None:
        """Ask the desk to write what is left and end."""
        with self._lock:
            self._wanted = 0
            self._stop.set()
            self._stir()

    def finish(self, *, received: int) -> None:
        """Stop, unless jobs are on their way to the loop, which would have nobody left to give them back to.

        Args:
            received: how many have arrived so far in all.
        """
        with self._lock:
            if not self.stopping and self._delivered == received:
                self.stop()

    @property
    def wanted(self) -> int:
        """How many jobs are wanted now."""
        return self._wanted

    @property
    def stopping(self) -> bool:
        """Whether the desk was asked to end."""
        return self._stop.is_set()

    @property
    def closed(self) -> bool:
        """Whether there is nothing left to do, ever."""
        return self.stopping and not self._work

    def delivered(self, jobs: int) -> bool:
        """Take so many, which go to the loop now, off what is wanted; False when it takes no more."""
        with self._lock:
            if self.stopping:
                return False
            self._delivered += jobs
            self._wanted = max(0, self._wanted - jobs)
            return True

    def take(self, *, wait: float, also: int | None = None) -> Work:
        """Wait for news; return the oldest work, at most a unit.

        Args:
            wait: how long at most (seconds).
            also: another descriptor; the wait ends when it is readable.
        """
        if not self._work and wait > 0:
            self._wait(wait, also)
        with self._lock:
            if self._stirred:
                self._stirred = False
                os.eventfd_read(self._event)
            return self._work.take(UNIT)

    def rest(self, seconds: float) -> None:
        """Wait so long, whatever comes in; when asked to stop, only briefly."""
        if self._stop.wait(seconds):
            time.sleep(min(seconds, 0.1))

    def close(self) -> None:
        """Free the descriptor."""
        os.close(self._event)

    def _wait(self, seconds: float, also: int | None) -> None:
        readable = select.poll()
        for fd in (self._event, also):
            if fd is not None:
                readable.register(fd, select.POLLIN)
        readable.poll(seconds * 1000)


class Claimed(NamedTuple):
    """The desk claimed these."""

    jobs: list[ClaimedJob]


class Lost(NamedTuple):
    """These are not this worker's any more."""

    held: list[Held]


class Paused(NamedTuple):
    """These queues are paused: what of theirs has not begun is to be given back."""

    queues: Set[str]


class Cancels(NamedTuple):
    """Somebody wants these cancelled; told again and again until they are over."""

    asked: list[Cancel]


class Drained(NamedTuple):
    """Nothing this worker serves is due, and it holds nothing."""


class DeskClosed(NamedTuple):
    """The desk has ended."""


class Happened(NamedTuple):
    """Receivers of signals are to be told of these events, each encoded."""

    events: list[bytes]


News = Claimed | Lost | Paused | Cancels | Drained | Happened | DeskClosed


class Outbox:
    """From desk to loop: news, and a file descriptor that is readable while there are any."""

    def __init__(self) -> None:
        self._news: deque[News] = deque()
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        """Return the descriptor to select on."""
        return self._event

    def post(self, news: News) -> None:
        """Tell the loop."""
        self._news.append(news)
        os.eventfd_write(self._event, 1)

    def take(self) -> list[News]:
        """Return all news, oldest first."""
        try:
            os.eventfd_read(self._event)
        except BlockingIOError:
            return []
        return [self._news.popleft() for _ in range(len(self._news))]

    def close(self) -> None:
        """Free the descriptor."""
        os.close(self._event)
