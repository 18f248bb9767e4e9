"""The runner's loop: turn after turn, one job at a time here and several in `seats`."""

from __future__ import annotations

from django_jobs.runner import hygiene
from django_jobs.runner.interrupts import Interrupts
from django_jobs.runner.post import Post
from django_jobs.runner.seats import Seats
from django_jobs.runner.turn import next_message, run_and_report
from django_jobs.runner.wear import Wear
from django_jobs.wire.slips import Slip, SlipState


def serve(post: Post) -> None:
    """Run jobs until the parent is gone, one was told to stop, or this runner is to be replaced."""
    if post.workplace.threads > 1:
        Seats(post).work()
    else:
        _one_by_one(post)


def _one_by_one(post: Post) -> None:
    slip, wear = post.slips[post.slip], Wear(post.recycling)
    interrupts = Interrupts(slip)
    interrupts.listen()
    while (message := next_message(post.jobs, slip)) is not None:
        wear.begin()
        try:
            assignment = run_and_report(message, slip, post, interrupts)
        except BrokenPipeError:
            return
        # Nobody knows in the middle of what a job was interrupted: this process ends with it.
        if interrupts.told or not interrupts.sound or wear.is_out(after=assignment.function):
            leave(slip)
            return


def leave(slip: Slip) -> None:
    # Its report is out and it reads no more: whoever sees this knows that nothing ends with it.
    slip.say(SlipState.LEAVING)
    hygiene.close_connections()
