"""What loop and desk tell each other."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Set
from typing import NamedTuple

from django_jobs.engines.rows import Cancel, ClaimedJob, Held
from django_jobs.worker.work import UNIT, Work


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
        """Hand over work, and ask for no other number of jobs than before."""
        with self._lock:
            self._work.add(work)
            self._stir()

    def hand_over(self, work: Work, *, wanted: int, received: int) -> None:
        """Hand over work and ask for jobs before the desk hears of either: one transaction is to do both.

        Args:
            work: what there is to write, which may be nothing.
            wanted: how many more jobs; replaces what was asked before.
            received: how many have arrived so far in all; what is under way counts towards `wanted`.
        """
        with self._lock:
            self._work.add(work)
            wanted = max(0, wanted - (self._delivered - received))
            if work or wanted > self._wanted:
                self._stir()
            self._wanted = wanted

    def put_back(self, work: Work) -> None:
        """Return work that could not be written, before all newer."""
        with self._lock:
            work.add(self._work)
            self._work = work

    def want(self, jobs: int, *, received: int) -> None:
        """Ask for so many jobs, and hand over nothing."""
        self.hand_over(Work(), wanted=jobs, received=received)

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
    def unwritten(self) -> int:
        """How many jobs that have ended wait beyond what was taken last."""
        return len(self._work.finished)

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
