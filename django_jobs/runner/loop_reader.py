"""The loop at the socket: takes as many jobs as seats are free, and reports what has ended in one go.

Coroutines become its tasks, and each job for a thread is given to that of its seat. Where a coroutine keeps
the loop from everything else, a seat takes its place at the socket.
"""

from __future__ import annotations

import os
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial

from django_jobs.outcomes import Outcome
from django_jobs.runner.birth import flush_output
from django_jobs.runner.coroutines import JobLoop
from django_jobs.runner.door import Door
from django_jobs.runner.loop_run import LoopRun, may_run_on_loop
from django_jobs.runner.post import Post
from django_jobs.runner.seat import Seat
from django_jobs.runner.turn import end, send_reports
from django_jobs.wire.messages import Assignment
from django_jobs.wire.slips import SlipState
from django_jobs.wire.sockets import receive

# So many jobs are taken in one go at most, and begun before the next: another runner is waking up as well.
AT_ONCE = 4


class LoopReader:
    """What a runner's loop does besides its tasks; the loop calls the methods where nothing else is said."""

    def __init__(self, post: Post, door: Door, jobs: JobLoop) -> None:
        self._post, self._door, self._jobs = post, door, jobs
        self._pid = os.getpid()
        # What has ended and is not reported; each is taken out once, by the loop or by the main thread.
        self._ended: deque[tuple[LoopRun, Outcome]] = deque()
        self._running = 0
        self._watches = self._reports = False
        self._answered = True
        # Not that of the job or seat from which something is called.
        self._context = Context()

    @property
    def is_at_work(self) -> bool:
        """Whether the loop reads, or runs what it has read before a seat took its place."""
        return self._door.is_the_loops or self._running > 0

    def take_over(self, assignment: Assignment, seat: Seat) -> None:
        """Run a job that a seat has read, and read on in its place; called in the seat's thread."""
        self._door.give_to_loop()
        self._soon(partial(self._begin_with, assignment, seat))

    def _begin_with(self, assignment: Assignment, seat: Seat) -> None:
        self._start(assignment, seat)
        self._read()

    def read_on(self) -> None:
        """Take notice that a seat is free; called in its thread."""
        self._soon(self._read)

    def look(self) -> None:
        """Let a seat read where the loop has nothing to do, or did not answer since the last look.

        Called in the main thread, again and again while the loop is at work.
        """
        if self._answered and self._running:
            self._answered = False
            self._soon(self._answer)
        else:
            self._answered = True
            self._door.take_from_loop()
            # A job that keeps the loop must not keep back what others came to: their time would run out.
            for run, outcome in self._take_ended():
                self.in_seat(run, partial(_known, outcome))

    def on_loop(self, run: LoopRun, outcome: Outcome) -> None:
        """Report an outcome, with those of all other tasks that the loop is about to go on with."""
        self._ended.append((run, outcome))
        if not self._reports:
            self._reports = True
            self._jobs.get().call_soon(self._guarded, self._report, context=self._context)

    def in_seat(self, run: LoopRun, outcome: Callable[[], Outcome]) -> None:
        """Report what comes of a run in the thread of its seat."""
        run.seat.do(partial(self._end_in_seat, run, outcome))

    def _end_in_seat(self, run: LoopRun, outcome: Callable[[], Outcome]) -> None:
        # In a copy: what the user's code sets there, to store a result or to decide on a retry, ends with it.
        known = copy_context().run(outcome)
        if os.getpid() != self._pid:
            os._exit(0)  # that code forked, and its child came back
        try:
            end(known, run.notebook, self._post, run.seat.interrupts)
        except BrokenPipeError:
            self._door.close()
        self._free(run.seat, after=run.assignment)
        self._soon(self._read_after_one)

    def _read_after_one(self) -> None:
        self._running -= 1
        self._read()

    def _take_ended(self) -> list[tuple[LoopRun, Outcome]]:
        taken = []
        with suppress(IndexError):
            while True:
                taken.append(self._ended.popleft())
        return taken

    def _report(self) -> None:
        self._reports = False
        if not (ended := self._take_ended()):
            return
        flush_output()
        for run, _ in ended:
            run.notebook.close()
            run.seat.interrupts.end()
        try:
            send_reports([outcome for _, outcome in ended], self._post)
        except BrokenPipeError:
            self._door.close()
        self._running -= len(ended)
        for run, _ in ended:
            self._free(run.seat, after=run.assignment)
        self._read()

    def _free(self, seat: Seat, *, after: Assignment) -> None:
        if seat.interrupts.told:
            self._door.close()
        self._door.close_if_worn_out(after)
        self._door.release(seat)

    def _read(self) -> None:
        for _ in range(AT_ONCE):
            if (seat := self._door.free_seat()) is None:
                self._watch(False)  # until a seat is free, or the loop reads again
                return
            if not self._read_for(seat):
                break
        self._watch(True)

    def _read_for(self, seat: Seat) -> bool:
        """Return whether there was a job for a seat."""
        seat.slip.say(SlipState.RECEIVING)
        try:
            message = receive(self._post.jobs)
        except BlockingIOError:
            self._door.release(seat)
            return False
        if message is None:
            self._door.close()
            self._door.release(seat)
            return True
        self._start(self._door.take(message, seat), seat)
        return True

    def _start(self, assignment: Assignment, seat: Seat) -> None:
        if may_run_on_loop(assignment):
            self._running += 1
            LoopRun(assignment, seat, self._post, self).start(self._jobs.get())
        else:
            seat.do(assignment)

    def _watch(self, watches: bool) -> None:
        if watches is self._watches:
            return
        self._watches, loop = watches, self._jobs.get()
        if watches:
            loop.add_reader(self._post.jobs, self._guarded, self._read)
        else:
            loop.remove_reader(self._post.jobs)

    def _answer(self) -> None:
        self._answered = True

    def _soon(self, what: Callable[[], object]) -> None:
        self._jobs.get().call_soon_threadsafe(self._guarded, what, context=self._context)

    def _guarded(self, what: Callable[[], object]) -> None:
        if os.getpid() != self._pid:
            # A job forked, and its child awaits something: the loop that came along reads for nobody.
            os._exit(0)
        try:
            what()
        except BaseException:
            # What goes wrong here would be noticed by nobody else: see `seats`.
            traceback.print_exc()
            flush_output()
            os._exit(1)


def _known(outcome: Outcome) -> Outcome:
    return outcome
