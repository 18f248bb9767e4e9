"""A runner that runs several jobs at once: each seat is a thread with a slip, one job at a time.

1. The main thread runs no job. It waits for SIGALRM, and has each seat obey what its slip orders then.
2. A seat takes an assignment, runs it and reports, as a runner of one job does. Only one seat at a time
   waits at the socket, the others behind its door: each message wakes one thread and not all of them.
3. Coroutine jobs are tasks of one loop; their seats wait for them (see `coroutines`).
4. After a run that was told to stop, or when the runner is worn out, no seat takes another job. Those that
   run go on to their end, and the process ends with the last of them.

What goes wrong in a seat outside its job's code ends the process: the parent finds out which jobs were
running, as after any death, while a thread that is missing would be noticed by nobody.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
import traceback
from types import FrameType

from django_jobs.runner import hygiene
from django_jobs.runner.birth import flush_output
from django_jobs.runner.coroutines import JobLoop
from django_jobs.runner.post import Post
from django_jobs.runner.seat_interrupts import SeatInterrupts
from django_jobs.runner.turn import IDLE_CONNECTIONS_CLOSE, next_message, run_and_report
from django_jobs.runner.wear import Wear
from django_jobs.wire.messages import Assignment
from django_jobs.wire.slips import Slip, SlipState

# The process ends so long (seconds) after its last report at the latest, whatever closing a connection takes.
CLOSING = 1.0


class Seats:
    """The seats of one runner."""

    def __init__(self, post: Post) -> None:
        self._post, self._wear, self._loop = post, Wear(post.recycling), JobLoop()
        self._door = threading.Lock()
        self._interrupts: list[SeatInterrupts] = []
        self._is_leaving = False
        # Readable from the moment when no seat is to take another job; nobody reads it.
        self._leaving = os.eventfd(0, os.EFD_CLOEXEC)
        self._left = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_SEMAPHORE)

    def work(self) -> None:
        """Run jobs until the parent is gone, one was told to stop, or this runner is to be replaced."""
        threads = self._post.workplace.threads
        first = self._post.slip
        with _Alarms() as alarms:
            seats = [
                threading.Thread(target=self._be_seat, args=(self._post.slips[first + number],), daemon=True)
                for number in range(threads)
            ]
            with self._door:  # that no job begins before it is sure that all can be started
                for seat in seats:
                    seat.start()
            self._obey_until_left(alarms, threads)
        end = time.monotonic() + CLOSING
        for seat in seats:
            seat.join(max(0.0, end - time.monotonic()))

    def _obey_until_left(self, alarms: _Alarms, working: int) -> None:
        readable = select.poll()
        for each in (alarms.fileno(), self._left):
            readable.register(each, select.POLLIN)
        while working:
            for fd, _ in readable.poll():
                if fd == self._left:
                    working -= os.eventfd_read(self._left)
                else:
                    alarms.drain()
                    for seat in self._interrupts:
                        seat.obey()

    def _be_seat(self, slip: Slip) -> None:
        try:
            self._work(slip)
            # Its reports are out and it reads no more: whoever sees this knows that nothing of it ends.
            slip.say(SlipState.LEAVING)
            os.eventfd_write(self._left, 1)
            hygiene.close_connections()
        except BaseException:
            traceback.print_exc()
            flush_output()
            os._exit(1)

    def _work(self, slip: Slip) -> None:
        interrupts = SeatInterrupts(slip, self._loop)
        self._interrupts.append(interrupts)
        while (message := self._next_message(slip)) is not None:
            try:
                assignment = run_and_report(message, slip, self._post, interrupts)
            except BrokenPipeError:
                break
            if interrupts.told or self._is_worn_out(assignment):
                break
        # However this seat came to its end, the others follow.
        self._leave()

    def _is_worn_out(self, assignment: Assignment) -> bool:
        return not self._is_leaving and self._wear.is_out(after=assignment.function)

    def _next_message(self, slip: Slip) -> bytes | None:
        slip.say(SlipState.IDLE)
        if not self._door.acquire(timeout=IDLE_CONNECTIONS_CLOSE):
            hygiene.close_connections()
            self._door.acquire()
        try:
            return self._receive(slip)
        finally:
            self._door.release()

    def _receive(self, slip: Slip) -> bytes | None:
        if self._is_leaving:
            return None
        message = next_message(self._post.jobs, slip, until=self._leaving)
        if message is not None:
            self._wear.begin()
            if self._wear.has_enough:
                self._leave()
        return message

    def _leave(self) -> None:
        self._is_leaving = True
        os.eventfd_write(self._leaving, 1)


class _Alarms:
    """SIGALRM as something to wait for: a handler comes in the middle of anything, and may take no lock."""

    def __init__(self) -> None:
        self._ours, self._wakeup = socket.socketpair()

    def __enter__(self) -> _Alarms:
        for end in (self._ours, self._wakeup):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGALRM, _hear)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        self._ours.close()
        self._wakeup.close()

    def fileno(self) -> int:
        """Return the descriptor that is readable after a signal."""
        return self._ours.fileno()

    def drain(self) -> None:
        """Read away what the signals wrote."""
        self._ours.recv(4096)


def _hear(number: int, frame: FrameType | None) -> None:
    """Do nothing: that the signal came stands in the socket."""
