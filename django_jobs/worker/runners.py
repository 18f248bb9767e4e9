"""Who is alive in this worker, what each is doing, who is being killed and why."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field

from django_jobs.engines.rows import Held
from django_jobs.wire.clock import boottime, boottime_ns
from django_jobs.wire.slips import Run, Slip, Slips, SlipState, StopReason
from django_jobs.worker.places import Places
from django_jobs.worker.sessions import kill_session
from django_jobs.worker.starting import Event, Starter, What
from django_jobs.worker.verdicts import Verdict

# A runner that dies so young (seconds) without a job was not able to start; the next one waits,
# twice as long each time, so that a broken set-up does not keep the machine busy.
TOO_YOUNG = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
# Who leaves closes its connections, and has so long for that (seconds).
LEAVE_WITHIN = 5.0


@dataclass(slots=True, eq=False)
class Runner:
    """One place's runner; pid is 0 before its birth is known and after its death."""

    slot: int
    seats: list[Seat] = field(default_factory=list)
    alone: bool = False  # it runs a job that nobody else may take along, and nothing else
    pid: int = 0
    verdict: Verdict | None = None
    condemned: Held | None = None  # the run the verdict is about; None for all that it runs
    ordered: bool = False
    born_at: float = 0.0
    gone_by: float | None = None  # it leaves, and has time until then
    start_at: float = 0.0
    pause: float = 0.0

    @property
    def runs(self) -> list[Run]:
        """What it runs now. Also before its birth is heard: a slip without a runner is empty."""
        return [run for seat in self.seats if (run := seat.slip.run()) is not None]

    @property
    def leaves(self) -> bool:
        """Whether it takes no further job, and ends with the last that it runs."""
        return self.says(SlipState.LEAVING)

    @property
    def has_left(self) -> bool:
        """Whether it has run its last job."""
        return all(seat.slip.state is SlipState.LEAVING for seat in self.seats)

    @property
    def waits(self) -> bool:
        """Whether it has nothing to do and waits for a job."""
        return bool(self.pid) and all(seat.slip.state is SlipState.IDLE for seat in self.seats)

    def says(self, state: SlipState) -> bool:
        """Return whether any of its seats says so."""
        return any(seat.slip.state is state for seat in self.seats)

    def empty(self) -> None:
        """Let its slips say that there is nobody."""
        for seat in self.seats:
            seat.slip.say(SlipState.EMPTY)


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """Room for one run in a runner."""

    runner: Runner
    slip: Slip

    @property
    def shared(self) -> bool:
        """Whether there are others in this runner."""
        return len(self.runner.seats) > 1


class Runners:
    """The worker's runners, each in its place."""

    def __init__(self, starter: Starter, slips: Slips, places: Places) -> None:
        self.starter, self._places = starter, places
        self._all = [Runner(place, alone=place == places.alone) for place in range(places.shared + 1)]
        for runner in self._all:
            runner.seats = [Seat(runner, slips[number]) for number in places.slips_of(runner.slot)]
        self._sharing = self._all[: places.shared]

    def staff(self, *, alone: bool) -> float:
        """Have runners made where they are missing; return when to look again (seconds).

        Args:
            alone: whether there is a job for the one who works alone, who is not needed else.
        """
        now, wait = boottime(), float("inf")
        for runner in self._vacant(alone=alone):
            if runner.start_at <= now:
                runner.ordered = True
                self.starter.start(runner.slot)
            else:
                wait = min(wait, runner.start_at - now)
        return wait

    def _vacant(self, *, alone: bool) -> list[Runner]:
        """Return the places in which a runner is wanted and is not: as many as there are runners too few."""
        there = [runner for runner in self._sharing if runner.pid or runner.ordered]
        missing = self._places.processes - sum(not runner.leaves for runner in there)
        now = boottime()
        vacant = [runner for runner in self._sharing if runner not in there]
        vacant.sort(key=lambda runner: max(now, runner.start_at))  # those first that need not wait
        one = self._all[self._places.alone]
        return vacant[:missing] + ([one] if alone and not (one.pid or one.ordered) else [])

    def born(self, slot: int, pid: int) -> None:
        """Take note of a birth."""
        runner = self._all[slot]
        runner.pid, runner.verdict, runner.condemned = pid, None, None
        runner.ordered, runner.born_at, runner.gone_by = False, boottime(), None

    def died(self, slot: int) -> list[tuple[Run, Verdict | None]]:
        """Take note of a death; return what the runner was running, and why each was killed, if it was."""
        runner = self._all[slot]
        runs = [(run, _verdict(runner, run)) for run in runner.runs]
        young = boottime() - runner.born_at < TOO_YOUNG
        _pause(runner, unable=young and not runs and runner.verdict is None and not runner.leaves)
        runner.empty()
        runner.pid, runner.verdict, runner.ordered = 0, None, False
        return runs

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
                runner.empty()
        self.starter = starter
        return deaths

    def kill(self, runner: Runner, verdict: Verdict, *, run: Held | None = None) -> None:
        """Kill a runner with all it started, for one run or whatever it runs; the first verdict stands."""
        if runner.pid and runner.verdict is None:
            runner.verdict, runner.condemned = verdict, run
            self.starter.kill(runner.slot, runner.pid)

    def see_off(self) -> float:
        """Kill who has run its last job and does not end in time; return when to look again (seconds)."""
        now, wait = boottime(), float("inf")
        for runner in self._all:
            if not runner.has_left:
                continue
            runner.gone_by = runner.gone_by or now + LEAVE_WITHIN
            if runner.gone_by <= now:
                self.kill(runner, Verdict.LINGERED)
            else:
                wait = min(wait, runner.gone_by - now)
        return wait

    def interrupt(self, seat: Seat, run: Run, reason: StopReason) -> None:
        """Have an exception raised in a run's code; whatever that does with it, its runner leaves then."""
        # The slip first: the signal only makes the runner look there.
        seat.slip.stop(run, reason)
        self.starter.interrupt(seat.runner.slot, seat.runner.pid)

    def running(self) -> Iterator[tuple[Seat, Held, Run]]:
        """Return each busy seat with the fence of its run and what its slip says of it."""
        for runner in self._all:
            for seat in runner.seats:
                if (run := seat.slip.run()) is not None:
                    yield seat, Held(run.job_id, run.token), run

    def busy_for(self) -> float:
        """Return for how long all who share a socket have been busy (seconds); 0 when one is free."""
        staying = [runner for runner in self._sharing if not runner.leaves]
        starts = [run.started_ns for runner in staying for run in runner.runs]
        if len(starts) < self.open_slots:
            return 0.0
        # With no slot open at all it is those who leave that everybody waits for.
        starts = starts or [run.started_ns for runner in self._leaving for run in runner.runs]
        return (boottime_ns() - max(starts)) / 1e9 if starts else 0.0

    def alone_for(self) -> float:
        """Return for how long the one who works alone has been busy (seconds); 0 when it is free."""
        starts = [run.started_ns for runner in self._all if runner.alone for run in runner.runs]
        return (boottime_ns() - starts[0]) / 1e9 if starts else 0.0

    def waiting(self) -> dict[Runner, int]:
        """Return those who share a socket and have nothing to do, each with how many runs it has begun."""
        waiting = [runner for runner in self._sharing if runner.waits]
        return {runner: sum(seat.slip.serial for seat in runner.seats) for runner in waiting}

    @property
    def sharing_runs(self) -> int:
        """How many jobs run in those who share a socket."""
        return sum(len(runner.runs) for runner in self._sharing)

    @property
    def open_slots(self) -> int:
        """How many slots there are: fewer than wanted where so many leave that not each has a successor."""
        places = len(self._sharing) - len(self._leaving)
        return min(self._places.processes, places) * self._places.threads

    @property
    def lasting(self) -> int:
        """How many jobs go on in runners that leave, beside those that their successors run."""
        return sum(len(runner.runs) for runner in self._leaving)

    @property
    def _leaving(self) -> list[Runner]:
        # One without neighbours is gone in a moment.
        return [runner for runner in self._sharing if len(runner.seats) > 1 and runner.leaves]

    def unsettled(self) -> list[Runner]:
        """Return the runners that may hold a message their slips do not name yet."""
        return [runner for runner in self._all if runner.says(SlipState.RECEIVING)]


def _verdict(runner: Runner, run: Run) -> Verdict | None:
    if runner.condemned is None or runner.condemned == Held(run.job_id, run.token):
        # Of several that ran when it died nobody knows which was the reason.
        return runner.verdict or (Verdict.AMONG if len(runner.runs) > 1 else None)
    # Killed for a neighbour; or for the job before, of which it began the next between verdict and death.
    return Verdict.FOLLOWED


def _pause(runner: Runner, *, unable: bool) -> None:
    if unable:
        runner.pause = min(max(FIRST_PAUSE, runner.pause * 2), LONGEST_PAUSE)
    else:
        runner.pause = 0.0
    runner.start_at = boottime() + runner.pause
