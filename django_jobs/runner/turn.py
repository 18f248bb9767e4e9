"""One turn of a runner, or of one of its seats: wait for a message, run its job, send the report."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterable
from functools import partial

from django_jobs.notebook import Notebook
from django_jobs.notes import Note
from django_jobs.runner import hygiene
from django_jobs.runner.execute import execute
from django_jobs.runner.interrupts import Stoppable
from django_jobs.runner.post import Post
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.messages import CUT_OFF, Assignment, Remark, Report, report_to_bytes
from django_jobs.wire.slips import Slip, Slips, SlipState
from django_jobs.wire.sockets import identity, receive, send

# Connections of a runner that had nothing to do for so long are closed (seconds).
IDLE_CONNECTIONS_CLOSE = 60.0


def run_and_report(message: bytes, slip: Slip, post: Post, interrupts: Stoppable) -> Assignment:
    """Run the job of a message, named on the slip, and report what came of it.

    Raises:
        BrokenPipeError: nobody reads reports any more.
    """
    assignment = begin(message, slip, post)
    run(assignment, post, interrupts)
    return assignment


def begin(message: bytes, slip: Slip, post: Post) -> Assignment:
    """Name the job of a message on the slip: from now on it is known to run."""
    assignment = Assignment.from_bytes(message)
    _start_nothing_without_lease(post.slips)
    slip.busy(assignment.job_id, assignment.token, boottime_ns())
    return assignment


def run(assignment: Assignment, post: Post, interrupts: Stoppable) -> None:
    """Run the job that is named on the slip, in this thread, and report what came of it.

    Raises:
        BrokenPipeError: nobody reads reports any more.
    """
    hygiene.before_attempt()
    me, notebook = os.getpid(), notebook_of(assignment, post)
    report = execute(assignment, post.workplace, interrupts, notebook)
    if os.getpid() != me:
        # The job forked, and its child came back here: two on one slip, with one job too many.
        os._exit(0)
    end(report, notebook, post, interrupts)


def end(report: Report, notebook: Notebook, post: Post, interrupts: Stoppable) -> None:
    """Put back what a job has left in this thread and its process, and report what came of it.

    Raises:
        BrokenPipeError: nobody reads reports any more.
    """
    interrupts.end()
    if interrupts.told:
        hygiene.after_interruption()
    else:
        hygiene.after_attempt()
    notebook.close()  # before the report: what is said of a job that has ended reaches nobody
    send_reports([report], post)


def send_reports(reports: Iterable[Report], post: Post) -> None:
    """Send the reports of jobs that have ended.

    Raises:
        BrokenPipeError: nobody reads reports any more.
    """
    if identity(post.jobs.fileno()) != post.connection:
        os._exit(CUT_OFF)
    for report in reports:
        send(post.jobs, report_to_bytes(report))


def notebook_of(assignment: Assignment, post: Post) -> Notebook:
    """Return where a run writes down what it says of itself."""
    return Notebook(assignment.meta, send=partial(_send_note, post.jobs, assignment))


def _send_note(jobs: socket.socket, assignment: Assignment, note: Note, wait: bool) -> None:
    send(jobs, report_to_bytes(Remark(assignment.job_id, assignment.token, note)), wait=wait)


def next_message(jobs: socket.socket, slip: Slip, *, until: int | None = None) -> bytes | None:
    """Wait for a message; the slip tells the parent at any moment whether its runner may hold one.

    RECEIVING is written before the socket is read and IDLE only after it was found empty, so
    whoever sees IDLE after the socket was drained knows that nothing is on its way in here.

    Args:
        until: a descriptor; when that is readable there is no further wait, and None is returned.
    """
    while True:
        slip.say(SlipState.RECEIVING)
        try:
            return receive(jobs)
        except BlockingIOError:
            slip.say(SlipState.IDLE)
        if not _message_comes(jobs, until):
            return None


def _message_comes(jobs: socket.socket, until: int | None) -> bool:
    readable = select.poll()
    readable.register(jobs, select.POLLIN)
    if until is not None:
        readable.register(until, select.POLLIN)
    found = readable.poll(IDLE_CONNECTIONS_CLOSE * 1000)
    if not found:
        hygiene.close_connections()
        found = readable.poll()
    return until not in dict(found)


def _start_nothing_without_lease(slips: Slips) -> None:
    # Another worker may have taken these jobs over by now. The parent sees that this runner
    # is gone, that its slip names no run, and gives the job back.
    if boottime_ns() > slips.lease_ns:
        os._exit(0)
