"""The loop of the runner that tells receivers of signals what the database has committed.

Each event has its own run on the slip, named by its number in the batch, with a limit on its time like a job.
"""

from __future__ import annotations

import os
from uuid import UUID

from django_jobs import logs, signals
from django_jobs.runner import hygiene
from django_jobs.runner.interrupts import Interrupts
from django_jobs.runner.post import Post
from django_jobs.runner.serve import leave
from django_jobs.runner.turn import next_message
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.events import Event, batch_from_bytes
from django_jobs.wire.slips import Slip, SlipState
from django_jobs.wire.sockets import send

_NO_JOB = UUID(int=0)


def deliver(post: Post) -> None:
    """Tell what comes until the parent is gone, or a receiver had to be stopped."""
    slip = post.slips[post.slip]
    interrupts = Interrupts(slip)
    interrupts.listen()
    while (message := next_message(post.jobs, slip)) is not None:
        told = _tell_all(batch_from_bytes(message), slip, interrupts)
        try:
            send(post.jobs, str(told).encode())
        except BrokenPipeError:
            return
        # Nobody knows in the middle of what a receiver was interrupted: this process ends with it.
        if interrupts.told or not interrupts.sound:
            leave(slip)
            return


def _tell_all(events: list[Event], slip: Slip, interrupts: Interrupts) -> int:
    """Return how many were told: all of them, or those up to the one that was stopped."""
    hygiene.before_attempt()
    for number, event in enumerate(events):
        # A slip that is busy may be read at any moment: between two runs it names none.
        slip.say(SlipState.RECEIVING)
        slip.busy(_NO_JOB, number, boottime_ns())
        _tell(event, interrupts)
        if interrupts.told:
            hygiene.after_interruption()
            slip.say(SlipState.RECEIVING)
            return number + 1
        hygiene.after_attempt()
    # The report that follows brings the next batch, which has other events of these numbers.
    slip.say(SlipState.RECEIVING)
    return len(events)


def _tell(event: Event, interrupts: Interrupts) -> None:
    me, signal = os.getpid(), signals.EVENTS[event.signal]
    try:
        interrupts.guard(lambda: signals.send(signal, event.job, **event.details))
    # One that exits, or was stopped, ends itself and not this process.
    except BaseException as error:
        logs.receiver_failed(receiver=event.signal, error=error, job_id=event.job.id if event.job else None)
    if os.getpid() != me:
        os._exit(0)  # the child of a receiver that forked
    interrupts.end()
