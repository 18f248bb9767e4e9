"""A runner that runs several jobs at once: each seat is a thread with a slip, one job at a time.

1. The main thread runs no job. It waits for SIGALRM, and has each seat obey what its slip orders then.
2. A seat takes an assignment, runs it and reports, as a runner of one job does. Only one seat at a time
   waits at the socket, the others behind its `door`: each message wakes one thread and not all of them.
3. Coroutine jobs are tasks of one loop; each occupies a seat, whose thread is free for what it needs one for.
   As long as they come the loop reads for itself (`loop_reader`), and no thread waits for another. One that
   cannot begin without waiting, for a model instance, say, is run by its seat, which has the loop await it.
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
from django_jobs.runner.door import Door
from django_jobs.runner.loop_reader import LoopReader
from django_jobs.runner.loop_run import may_run_on_loop
from django_jobs.runner.post import Post
from django_jobs.runner.seat import Errand, Seat
from django_jobs.runner.turn import run
from django_jobs.wire.messages import Assignment
from django_jobs.wire.slips import Slip, SlipState

# The process ends so long (seconds) after its last report at the latest, whatever closing a connection takes.
CLOSING = 1.0
# So often (seconds) it is looked whether a loop that reads or runs something still does.
LOOK_EVERY = 0.1


class Seats:
    """The seats of one runner."""

    def __init__(self, post: Post) -> None:
        self._post, self._door, self._jobs = post, Door(post), JobLoop()
        self._reader = LoopReader(post, self._door, self._jobs)
        self._seats: list[Seat] = []
        self._starting = threading.Lock()
        self._left = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_SEMAPHORE)
        # Readable from the moment when the loop begins to read.
        self._looked_after = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def work(self) -> None:
        """Run jobs until the parent is gone, one was told to stop, or this runner is to be replaced."""
        threads = self._post.workplace.threads
        first = self._post.slip
        with _Alarms() as alarms:
            seats = [
                threading.Thread(target=self._be_seat, args=(self._post.slips[first + number],), daemon=True)
                for number in range(threads)
            ]
            with self._starting:  # that no job begins before it is sure that all can be started
                for seat in seats:
                    seat.start()
            self._obey_until_left(alarms, threads)
        end = time.monotonic() + CLOSING
        for seat in seats:
            seat.join(max(0.0, end - time.monotonic()))

    def _obey_until_left(self, alarms: _Alarms, working: int) -> None:
        readable = select.poll()
        for each in (alarms.fileno(), self._left, self._looked_after):
            readable.register(each, select.POLLIN)
        while working:
            found = dict(readable.poll(LOOK_EVERY * 1000 if self._reader.is_at_work else None))
            if not found:
                self._reader.look()
            if self._looked_after in found:
                os.eventfd_read(self._looked_after)
            if self._left in found:
                working -= os.eventfd_read(self._left)
            if alarms.fileno() in found:
                alarms.drain()
                for seat in self._seats:
                    seat.interrupts.obey()

    def _be_seat(self, slip: Slip) -> None:
        try:
            with self._starting:
                seat = Seat(slip, self._jobs)
                self._seats.append(seat)
            self._work(seat)
            # However this seat came to its end, the others follow.
            self._door.close()
            # Its reports are out and it reads no more: whoever sees this knows that nothing of it ends.
            slip.say(SlipState.LEAVING)
            os.eventfd_write(self._left, 1)
            hygiene.close_connections()
        except BaseException:
            traceback.print_exc()
            flush_output()
            os._exit(1)

    def _work(self, seat: Seat) -> None:
        self._release(seat)
        while (assignment := self._next(seat)) is not None:
            try:
                run(assignment, self._post, seat.interrupts)
            except BrokenPipeError:
                return
            if seat.interrupts.told:
                return
            self._door.close_if_worn_out(assignment)
            self._release(seat)

    def _release(self, seat: Seat) -> None:
        if self._door.release(seat):
            self._reader.read_on()

    def _next(self, seat: Seat) -> Assignment | None:
        """Wait for a job that this seat's thread is to run; None when it is to leave."""
        while (errand := seat.next()) is Errand.READ:
            if (assignment := self._door.read(seat)) is None:
                return None
            if not may_run_on_loop(assignment):
                self._door.pass_on()
                return assignment
            self._reader.take_over(assignment, seat)
            os.eventfd_write(self._looked_after, 1)
        return None if errand is Errand.LEAVE else errand


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
