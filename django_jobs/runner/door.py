"""Who of a runner with several seats waits at the socket, and which seats are free.

One at a time does: a seat's thread, so that a message wakes one thread and not all of them; or the loop,
which takes as many messages in one go as seats are free. A seat that has read a job for a thread sends
another to the door and runs it. One that has read a coroutine gives door and job to the loop.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from enum import Enum, auto

from django_jobs.runner.post import Post
from django_jobs.runner.seat import Errand, Seat
from django_jobs.runner.turn import begin, next_message
from django_jobs.runner.wear import Wear
from django_jobs.wire.messages import Assignment
from django_jobs.wire.slips import SlipState


class _Reader(Enum):
    NOBODY = auto()
    SEAT = auto()
    LOOP = auto()


class Door:
    """The door of one runner; each method may be called in any thread.

    Args:
        post: what the runner was given.
    """

    def __init__(self, post: Post) -> None:
        self._post, self._wear = post, Wear(post.recycling)
        self._lock = threading.Lock()
        self._free: deque[Seat] = deque()
        self._reader = _Reader.NOBODY
        self.closed = False
        # Readable from the moment when no seat is to take another job; nobody reads it.
        self._closed = os.eventfd(0, os.EFD_CLOEXEC)

    @property
    def is_the_loops(self) -> bool:
        """Whether it is the loop that reads."""
        return self._reader is _Reader.LOOP

    def read(self, seat: Seat) -> Assignment | None:
        """Wait at the socket for a job, which the seat's slip then names; None when no other comes."""
        # A message that is there would be taken before anything else is looked at.
        message = None if self.closed else next_message(self._post.jobs, seat.slip, until=self._closed)
        if message is None:
            self.close()
            return None
        return self.take(message, seat)

    def take(self, message: bytes, seat: Seat) -> Assignment:
        """Name the job of a message on the slip of a seat, and count it."""
        assignment = begin(message, seat.slip, self._post)
        with self._lock:
            self._wear.begin()
            enough = self._wear.has_enough
        if enough:
            self.close()
        return assignment

    def pass_on(self) -> None:
        """Send another seat to the socket; where none is free, the next that is."""
        with self._lock:
            self._reader = _Reader.NOBODY
            if self._free:
                self._send(self._free.pop())

    def give_to_loop(self) -> None:
        """Let the loop read from now on."""
        with self._lock:
            self._reader = _Reader.LOOP

    def take_from_loop(self) -> None:
        """Let a seat read again."""
        if self.is_the_loops:
            self.pass_on()

    def release(self, seat: Seat) -> bool:
        """Take note that a seat has reported its job, or comes new; return whether it waits for the loop."""
        seat.slip.say(SlipState.IDLE)
        with self._lock:
            if self.closed:
                seat.do(Errand.LEAVE)
            elif self._reader is _Reader.NOBODY:
                self._send(seat)
            else:
                self._free.append(seat)
            return self.is_the_loops

    def free_seat(self) -> Seat | None:
        """Return a seat that is free, and is not any more, where the loop may have one; else None."""
        with self._lock:
            return self._free.pop() if self._reader is _Reader.LOOP and self._free else None

    def close_if_worn_out(self, assignment: Assignment) -> None:
        """Close where the runner is to be replaced after this job."""
        if not self.closed and self._wear.is_out(after=assignment.function):
            self.close()

    def close(self) -> None:
        """Have every seat leave as soon as it is free."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
            os.eventfd_write(self._closed, 1)
            while self._free:
                self._free.pop().do(Errand.LEAVE)

    def _send(self, seat: Seat) -> None:
        self._reader = _Reader.SEAT
        seat.do(Errand.READ)
