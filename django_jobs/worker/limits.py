"""Whose time is up, and whose start is worth a write."""

from __future__ import annotations

from collections.abc import Mapping

from django_jobs.engines.rows import ClaimedJob, Held
from django_jobs.options import interrupting_soft_timeout
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.slips import Run, StopReason
from django_jobs.worker.ladder import Ladder
from django_jobs.worker.orders import Order
from django_jobs.worker.runners import Runners, Seat
from django_jobs.worker.verdicts import Verdict
from django_jobs.worker.work import Begun

# A run that has lasted so long has its start stored, so that its loss counts as a crash.
WORTH_A_WRITE_NS = 1_000_000_000
# Slips are looked at this often while jobs are out (seconds), and sooner when a limit is near.
LOOK_EVERY = 0.25


class Limits:
    """Looks through the slips: time limits, starts to store, runs that are not ours any more."""

    def __init__(self, runners: Runners, ladder: Ladder) -> None:
        self._runners, self._ladder = runners, ladder
        self._lost: set[Held] = set()
        self._begun: set[Held] = set()
        self._reminders: dict[Held, Order] = {}  # of their soft limit

    def lose(self, held: list[Held]) -> None:
        """Remember claims that were lost: whoever runs one of them is killed."""
        self._lost.update(held)

    def enforce(self, out: Mapping[Held, ClaimedJob]) -> tuple[list[Begun], float]:
        """Stop the runs that are over a limit, kill the runners of those that are lost.

        Returns:
            The runs whose start should be stored now, and when to look again at the latest (seconds).
        """
        now = boottime_ns()
        begun: list[Begun] = []
        nearest: float = now + LOOK_EVERY * 1e9
        for seat, held, run in self._runners.running():
            job = out.get(held)
            nearest = min(nearest, self._judge(seat, held, job, run, now))
            if job is not None and now - run.started_ns >= WORTH_A_WRITE_NS and held not in self._begun:
                begun.append(Begun(held, run.started_ns))
        self._begun = (self._begun & out.keys()) | {each.held for each in begun}
        self._lost &= out.keys()
        for held in self._reminders.keys() - out.keys():
            del self._reminders[held]
        return begun, max(0.0, (nearest - now) / 1e9)

    def _judge(self, seat: Seat, held: Held, job: ClaimedJob | None, run: Run, now: int) -> float:
        if held in self._lost:
            self._runners.kill(seat.runner, Verdict.LOST, run=held)
        if job is None or seat.runner.verdict is not None or held in self._ladder:
            return float("inf")
        hard = _end(run, job.timeout)
        if now >= hard:
            self._ladder.stop(seat, held, run, Verdict.TIMEOUT)
            return hard
        return min(hard, self._remind(seat, held, job, run, now))

    def _remind(self, seat: Seat, held: Held, job: ClaimedJob, run: Run, now: int) -> float:
        """Interrupt a run at its soft limit, where it wants that."""
        soft = _end(run, interrupting_soft_timeout(job.options))
        if now < soft or not seat.runner.pid:
            return soft
        if held not in self._reminders:
            self._reminders[held] = Order(self._runners, seat, run, StopReason.SOFT_TIMEOUT)
        return self._reminders[held].send(now)


def _end(run: Run, limit: float | None) -> float:
    # A float: it may be beyond all numbers.
    return float("inf") if limit is None else run.started_ns + limit * 1e9
