"""Who is alive in this worker, what each is doing, who is being killed and why."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass

from django_jobs.engines.rows import Held
from django_jobs.wire.clock import boottime, boottime_ns
from django_jobs.wire.slips import Run, Slip, Slips, SlipState, StopReason
from django_jobs.worker.sessions import kill_session
from django_jobs.worker.starting import Event, Starter, What
from django_jobs.worker.verdicts import Verdict

# A runner that dies so young (seconds) without a job was not able to start; the next one waits,
# twice as long each time, so that a broken set-up does not keep the machine busy.
TOO_YOUNG = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0


@dataclass(slots=True)
class Runner:
    """One slot's runner; pid is 0 before its birth is known and after its death."""

    slot: int
    slip: Slip
    pid: int = 0
    verdict: Verdict | None = None
    condemned: Held | None = None  # the run the verdict is about; None for all that it runs
    ordered: bool = False
    born_at: float = 0.0
    start_at: float = 0.0
    pause: float = 0.0

    @property
    def run(self) -> Run | None:
        """What it runs now. Also before its birth is heard: a slip without a runner is empty."""
        return self.slip.run()


class Runners:
    """The worker's runners, one a slot."""

    def __init__(self, starter: Starter, slips: Slips, *, count: int) -> None:
        self.starter = starter
        self._all = [Runner(slot, slips[slot]) for slot in range(count)]

    def staff(self) -> float:
        """Have a runner made for each slot without one; return when to look again (seconds)."""
        now, wait = boottime(), float("inf")
        for runner in self._all:
            if runner.pid or runner.ordered:
                continue
            if runner.start_at <= now:
                runner.ordered = True
                self.starter.start(runner.slot)
            else:
                wait = min(wait, runner.start_at - now)
        return wait

    def born(self, slot: int, pid: int) -> None:
        """Take note of a birth."""
        runner = self._all[slot]
        runner.pid, runner.verdict, runner.condemned = pid, None, None
        runner.ordered, runner.born_at = False, boottime()

    def died(self, slot: int) -> tuple[Run | None, Verdict | None]:
        """Take note of a death; return what the runner was running and why it was killed, if it was."""
        runner = self._all[slot]
        run, verdict = runner.run, runner.verdict
        # Between verdict and death it may have finished the one job and begun the next.
        if run and runner.condemned and runner.condemned != Held(run.job_id, run.token):
            verdict = Verdict.FOLLOWED
        left = runner.slip.state is SlipState.LEAVING
        unable = run is None and verdict is None and not left and boottime() - runner.born_at < TOO_YOUNG
        _pause(runner, unable=unable)
        runner.slip.say(SlipState.EMPTY)
        runner.pid, runner.verdict, runner.ordered = 0, None, False
        return run, verdict

    def failed(self, slot: int) -> float:
        """Take note that no runner could be made; return when the next try comes (seconds)."""
        runner = self._all[slot]
        runner.ordered = False
        _pause(runner, unable=True)
        return runner.pause

    def adopt(self, starter: Starter) -> list[Event]:
        """Go on with another way of making runners: end those of the old one, return their deaths."""
        self.starter.stop()
        deaths = []
        for runner in self._all:
            runner.ordered = False
            if runner.pid:
                kill_session(runner.pid)
                runner.verdict = runner.verdict or Verdict.ORPHANED
                deaths.append(Event(What.DIED, runner.slot, runner.pid, signal.SIGKILL))
            else:
                # One whose birth was not heard has died with its maker; it may have written here.
                runner.slip.say(SlipState.EMPTY)
        self.starter = starter
        return deaths

    def kill(self, runner: Runner, verdict: Verdict, *, run: Held | None = None) -> None:
        """Kill a runner with all it started, for one run or whatever it runs; the first verdict stands."""
        if runner.pid and runner.verdict is None:
            runner.verdict, runner.condemned = verdict, run
            self.starter.kill(runner.slot, runner.pid)

    def interrupt(self, runner: Runner, run: Run, reason: StopReason) -> None:
        """Have an exception raised in a run's code; whatever it does with that, its runner ends after it."""
        # The slip first: the signal only makes the runner look there.
        runner.slip.stop(run, reason)
        self.starter.interrupt(runner.slot, runner.pid)

    def running(self) -> Iterator[tuple[Runner, Held, Run]]:
        """Return each busy runner with the fence of its run and what its slip says of it."""
        for runner in self._all:
            if (run := runner.run) is not None:
                yield runner, Held(run.job_id, run.token), run

    def busy_for(self) -> float:
        """Return for how long no slot has been free (seconds); 0 when one is."""
        starts = [run.started_ns for _, _, run in self.running()]
        return (boottime_ns() - max(starts)) / 1e9 if len(starts) == len(self._all) else 0.0

    def unsettled(self) -> list[Runner]:
        """Return the runners that may hold a message their slip does not name yet."""
        return [runner for runner in self._all if runner.slip.state is SlipState.RECEIVING]


def _pause(runner: Runner, *, unable: bool) -> None:
    if unable:
        runner.pause = min(max(FIRST_PAUSE, runner.pause * 2), LONGEST_PAUSE)
    else:
        runner.pause = 0.0
    runner.start_at = boottime() + runner.pause
