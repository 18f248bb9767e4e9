"""The runner's loop: take an assignment, run it, send the report."""

from __future__ import annotations

import os
import select
import socket
from dataclasses import dataclass, field
from functools import partial

from django_jobs.context import Workplace
from django_jobs.notebook import Notebook
from django_jobs.notes import Note
from django_jobs.recycling import Recycling
from django_jobs.runner import hygiene
from django_jobs.runner.birth import ignore_signals
from django_jobs.runner.execute import execute
from django_jobs.runner.interrupts import Interrupts
from django_jobs.runner.wear import Wear
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.messages import Assignment, Remark, report_to_bytes
from django_jobs.wire.slips import Slip, Slips, SlipState
from django_jobs.wire.sockets import receive, send

# Connections of a runner that had nothing to do for so long are closed (seconds).
IDLE_CONNECTIONS_CLOSE = 60.0


@dataclass(frozen=True, slots=True)
class Post:
    """A runner's place in the worker: its slot, the shared socket, the page of slips, and for how long."""

    slot: int
    jobs: socket.socket
    slips: Slips
    workplace: Workplace
    recycling: Recycling = field(default_factory=Recycling)


def serve(post: Post) -> None:
    """Run jobs until the parent is gone, one was told to stop, or this runner is to be replaced."""
    slip, wear = post.slips[post.slot], Wear(post.recycling)
    interrupts = Interrupts(slip)
    interrupts.listen()
    while (message := _next_message(post.jobs, slip)) is not None:
        assignment = Assignment.from_bytes(message)
        _start_nothing_without_lease(post.slips)
        slip.busy(assignment.job_id, assignment.token, boottime_ns())
        try:
            _run_and_report(assignment, post, interrupts)
        except BrokenPipeError:
            return
        # Nobody knows in the middle of what a job was interrupted: this process ends with it.
        if interrupts.told or wear.is_out(after=assignment.function):
            _leave(slip)
            return


def _leave(slip: Slip) -> None:
    # Its report is out and it reads no more: whoever sees this knows that nothing ends with it.
    slip.say(SlipState.LEAVING)
    hygiene.close_connections()


def _run_and_report(assignment: Assignment, post: Post, interrupts: Interrupts) -> None:
    hygiene.before_attempt()
    me = os.getpid()
    notebook = Notebook(assignment.meta, send=partial(_send_note, post.jobs, assignment))
    report = execute(assignment, post.workplace, interrupts, notebook)
    if os.getpid() != me:
        # The job forked, and its child came back here: two on one slip, with one job too many.
        os._exit(0)
    # At once and not before the next job: an alarm that this one has set may come while there is none.
    interrupts.listen()
    ignore_signals()
    if interrupts.told:
        hygiene.after_interruption()
    else:
        hygiene.after_attempt()
    notebook.close()  # before the report: what is said of a job that has ended reaches nobody
    send(post.jobs, report_to_bytes(report))


def _send_note(jobs: socket.socket, assignment: Assignment, note: Note, wait: bool) -> None:
    send(jobs, report_to_bytes(Remark(assignment.job_id, assignment.token, note)), wait=wait)


def _next_message(jobs: socket.socket, slip: Slip) -> bytes | None:
    """Wait for a message; the slip tells the parent at any moment whether this runner may hold one.

    RECEIVING is written before the socket is read and IDLE only after it was found empty, so
    whoever sees IDLE after the socket was drained knows that nothing is on its way in here.
    """
    while True:
        slip.say(SlipState.RECEIVING)
        try:
            return receive(jobs)
        except BlockingIOError:
            slip.say(SlipState.IDLE)
        _wait_for_message(jobs)


def _wait_for_message(jobs: socket.socket) -> None:
    readable = select.poll()
    readable.register(jobs, select.POLLIN)
    if not readable.poll(IDLE_CONNECTIONS_CLOSE * 1000):
        hygiene.close_connections()
        readable.poll()


def _start_nothing_without_lease(slips: Slips) -> None:
    # Another worker may have taken these jobs over by now. The parent sees that this runner
    # is gone, that its slip names no run, and gives the job back.
    if boottime_ns() > slips.lease_ns:
        os._exit(0)
