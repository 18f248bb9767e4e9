"""Ending a run in two steps: first an exception in its own code, then SIGKILL for its whole session.

Between the two its `finally` blocks have KILL_AFTER seconds. From the first step on the verdict
stands: what the run reports after that is no longer the result of the job. And nothing is told of
it before its runner is gone with all it had started: the next attempt meets nothing of this one.
Only where it has neighbours its end is told at once, for they go on to theirs.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from django_jobs.engines.rows import ClaimedJob, Held
from django_jobs.outcomes import Outcome
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.slips import Run, SlipState, StopReason
from django_jobs.worker.orders import Order
from django_jobs.worker.runners import Runners, Seat
from django_jobs.worker.stopping import LAST_WRITES
from django_jobs.worker.verdicts import Verdict, outcome_of_stopped

_REASONS = {
    Verdict.TIMEOUT: StopReason.TIMEOUT,
    Verdict.CANCELLED: StopReason.CANCEL,
    Verdict.SHUTDOWN: StopReason.SHUTDOWN,
}
# At shutdown the desk still has to write what became of the job.
LONGEST_AT_SHUTDOWN = LAST_WRITES / 2


@dataclass(slots=True)
class _Told:
    """A run on its first step; told_ns and kill_ns are CLOCK_BOOTTIME."""

    seat: Seat
    pid: int
    run: Run
    verdict: Verdict
    order: Order
    told_ns: int
    kill_ns: int
    ended: tuple[ClaimedJob, Outcome] | None = None

    @property
    def gone(self) -> bool:
        """Whether the process is no more."""
        return self.seat.runner.pid != self.pid

    @property
    def lasts(self) -> bool:
        """Whether the run goes on or its runner is leaving; else the order came too late for it.

        One that leaves in a shared runner is over with its report: its neighbours may take long.
        """
        left = not self.seat.shared and self.seat.slip.state is SlipState.LEAVING
        return left or self.seat.slip.run() == self.run


class Ladder:
    """The runs that were told to stop.

    Args:
        kill_after: how long each may still clean up (seconds); 0 kills at once.
    """

    def __init__(self, runners: Runners, *, kill_after: float) -> None:
        self._runners, self._kill_after = runners, kill_after
        self._told: dict[Held, _Told] = {}

    @property
    def waiting(self) -> bool:
        """Whether a run has ended that is not told of yet."""
        return any(told.ended for told in self._told.values())

    def __contains__(self, held: Held) -> bool:
        return held in self._told

    def stop(self, seat: Seat, held: Held, run: Run, verdict: Verdict) -> None:
        """Take the first step with a run; the first verdict stands, the sooner end counts."""
        now = boottime_ns()
        longest = LONGEST_AT_SHUTDOWN if verdict is Verdict.SHUTDOWN else float("inf")
        after = min(self._kill_after, longest)
        kill_ns = now + int(after * 1e9)
        if (told := self._told.get(held)) is not None:
            told.kill_ns = min(told.kill_ns, kill_ns)
        elif after == 0:
            self._runners.kill(seat.runner, verdict, run=held)
        elif seat.runner.pid and seat.runner.verdict is None:  # else its birth is not heard, or it dies
            order = Order(self._runners, seat, run, _REASONS[verdict])
            self._told[held] = _Told(seat, seat.runner.pid, run, verdict, order, now, kill_ns)
            order.send(now)

    def climb(self) -> float:
        """Take the second step with those whose time is up; return when to look again (seconds)."""
        now, wait = boottime_ns(), float("inf")
        for held, told in self._told.items():
            if told.kill_ns > now:
                wait = min(wait, told.kill_ns - now, told.order.send(now) - now)
            elif told.lasts:
                self._runners.kill(told.seat.runner, told.verdict, run=held)
        return wait / 1e9

    def take_ended(self, out: Container[Held]) -> list[tuple[ClaimedJob, Outcome]]:
        """Take out those whose runner is gone, or has neighbours, or goes on because the order came too late.

        Args:
            out: the jobs that have not reported: if it is one of these, its report is on its way here.
        """
        over = [
            held for held, told in self._told.items() if held not in out and (told.gone or not told.lasts)
        ]
        return [ended for held in over if (ended := self._told.pop(held).ended) is not None]

    def verdict_on(self, held: Held) -> Verdict | None:
        """Return why this run was told to stop; None when it was not."""
        told = self._told.get(held)
        return told.verdict if told else None

    def takes(self, held: Held, job: ClaimedJob, report: Outcome) -> bool:
        """Take over the report of a run that was told to stop before its end; return whether it was."""
        told = self._told.get(held) if self._told else None
        if told is None or report.finished_ns < told.told_ns:
            return False
        told.ended = job, outcome_of_stopped(job, verdict=told.verdict, report=report)
        return True
