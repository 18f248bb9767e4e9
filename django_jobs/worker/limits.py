"""Whose time is up, and whose start is worth a write."""

from __future__ import annotations

from collections.abc import Mapping

from django_jobs.engines.rows import ClaimedJob, Held
from django_jobs.wire.clock import boottime_ns
from django_jobs.worker.inbox import Begun
from django_jobs.worker.runners import Runner, Runners
from django_jobs.worker.verdicts import Verdict

# A run that has lasted so long has its start stored, so that its loss counts as a crash.
WORTH_A_WRITE_NS = 1_000_000_000
# Slips are looked at this often while jobs are out (seconds), and sooner when a limit is near.
LOOK_EVERY = 0.25


class Limits:
    """Looks through the slips: time limits, starts to store, runs that are not ours any more."""

    def __init__(self, runners: Runners) -> None:
        self._runners = runners
        self._lost: set[Held] = set()
        self._begun: set[Held] = set()

    def lose(self, held: list[Held]) -> None:
        """Remember claims that were lost: whoever runs one of them is killed."""
        self._lost.update(held)

    def enforce(self, out: Mapping[Held, ClaimedJob]) -> tuple[list[Begun], float]:
        """Kill the runners whose run is over its limit or lost.

        Returns:
            The runs whose start should be stored now, and when to look again at the latest (seconds).
        """
        now = boottime_ns()
        begun: list[Begun] = []
        nearest: float = now + LOOK_EVERY * 1e9
        for runner, held, started_ns in self._runners.running():
            job = out.get(held)
            nearest = min(nearest, self._judge(runner, held, job, started_ns, now))
            if job is not None and now - started_ns >= WORTH_A_WRITE_NS and held not in self._begun:
                begun.append(Begun(held, started_ns))
        self._begun = (self._begun & out.keys()) | {each.held for each in begun}
        self._lost &= out.keys()
        return begun, max(0.0, (nearest - now) / 1e9)

    def _judge(self, runner: Runner, held: Held, job: ClaimedJob | None, started_ns: int, now: int) -> float:
        if held in self._lost:
            self._runners.kill(runner, Verdict.LOST, run=held)
        if job is None or job.timeout is None or runner.verdict is not None:
            return float("inf")
        ends = started_ns + job.timeout * 1e9  # a float: it may be beyond all numbers
        if now >= ends:
            self._runners.kill(runner, Verdict.TIMEOUT, run=held)
        return ends
