"""The shop floor: every job this worker holds, from the desk's claim to the desk's ack."""

from __future__ import annotations

from collections.abc import Iterable, Set

from django_jobs.engines.rows import Cancel, ClaimedJob, Held
from django_jobs.outcomes import Outcome
from django_jobs.wire.clock import boottime, boottime_ns
from django_jobs.wire.messages import Refusal, Remark
from django_jobs.wire.slips import Run, Slips
from django_jobs.worker.deaf import Deaf
from django_jobs.worker.gathering import Gathering
from django_jobs.worker.handout import Handout
from django_jobs.worker.ladder import Ladder
from django_jobs.worker.limits import LOOK_EVERY, Limits
from django_jobs.worker.notes import Notes
from django_jobs.worker.pace import PATIENCE, Pace
from django_jobs.worker.reconcile import Reconciliation
from django_jobs.worker.runners import Runners
from django_jobs.worker.soundness import buried, flaws
from django_jobs.worker.starting import Event, What
from django_jobs.worker.verdicts import Verdict, outcome_of_death
from django_jobs.worker.work import GivenBack, Work

# One that must run alone is looked at again after a tenth of what another one has lasted by then, within
# these bounds (seconds).
ALONE_DELAY_LEAST, ALONE_DELAY_MOST = 0.5, 60.0


class Floor:
    """Moves jobs between buffer, runners and the work for the desk."""

    def __init__(
        self, *, handout: Handout, runners: Runners, slips: Slips, pace: Pace, kill_after: float
    ) -> None:
        self._handout, self._runners, self._slips, self._pace = handout, runners, slips, pace
        self._ladder = Ladder(runners, kill_after=kill_after)
        self._limits = Limits(runners, self._ladder)
        self._deaf = Deaf(runners)
        self._notes = Notes()
        self._gathering = Gathering(pace)
        self._recount: Reconciliation | None = None
        self._work = Work()
        self._given_back = 0
        self._look_at = 0.0

    @property
    def empty(self) -> bool:
        """Whether no job is left here and none is being looked for."""
        return not len(self._handout) and self._recount is None and not self._ladder.waiting

    @property
    def recounting(self) -> bool:
        """Whether a recount waits for a runner to settle."""
        return self._recount is not None

    @property
    def room(self) -> int:
        """How many more jobs the worker should hold."""
        self._pace.slots = self._runners.open_slots
        return max(0, self._pace.held + self._runners.lasting - len(self._handout.shared))

    @property
    def has_one_alone(self) -> bool:
        """Whether a job is here that must run alone."""
        return self._handout.has_one_alone

    @property
    def given_back(self) -> int:
        """How many jobs have been given back unrun so far."""
        return self._given_back + len(self._work.given_back)

    def take_in(self, jobs: Iterable[ClaimedJob]) -> None:
        """Take newly claimed jobs; a row that cannot be a job ends here."""
        for job in jobs:
            if wrong := flaws(job):
                self._work.finished.append(buried(job, wrong))
            elif not self._handout.add(job):
                self._turn_away(job)

    def _turn_away(self, job: ClaimedJob) -> None:
        """Give back what must run alone while another one does."""
        delay = min(max(self._runners.alone_for() / 10, ALONE_DELAY_LEAST), ALONE_DELAY_MOST)
        self._work.given_back.append(GivenBack(job, delay, "waits to run alone", turned_away=True))

    def collect(self) -> None:
        """Read what the runners reported."""
        for held, job, report in self._handout.reports():
            if isinstance(report, Refusal):
                self._work.given_back.append(GivenBack(job, report.delay, report.reason))
            elif isinstance(report, Remark):
                self._notes.keep(held, report.note)
            elif not self._ladder.takes(held, job, noted := self._noted(held, report)):
                self._finished(job, noted)

    def bury(self, event: Event) -> None:
        """Settle what a dead runner was running, and find out where all other jobs are."""
        self.collect()  # its last report may still be in the socket
        for run, verdict in self._runners.died(event.slot):
            if event.what is What.LAPSED:
                verdict = verdict or Verdict.LEASE
            self._settle(run, verdict, status=event.status)
        self.recount()

    def _settle(self, run: Run, verdict: Verdict | None, *, status: int) -> None:
        held = Held(run.job_id, run.token)
        if (job := self._handout.settle(held)) is None:
            return
        verdict = self._ladder.verdict_on(held) or verdict
        outcome = outcome_of_death(job, verdict=verdict, status=status, started_ns=run.started_ns)
        if outcome is not None:
            self._work.finished.append((job, self._noted(held, outcome)))

    def recount(self) -> None:
        """Start finding out where every job is; nothing is handed out before that is known."""
        # One that is under way goes on, with what is left of its patience: nothing was handed out since.
        self._recount = self._recount or Reconciliation(self._handout, self._runners)
        self.go_on_recounting()

    def go_on_recounting(self) -> None:
        """End the recount if all runners have settled: what is in none of them goes back unrun."""
        if self._recount is not None and self._recount.settled():
            self.collect()
            self._work.given_back += [GivenBack(job) for job in self._recount.missing()]
            self._recount = None

    def lose(self, held: list[Held]) -> None:
        """Let go of claims that are not this worker's any more."""
        # What nobody has read could still be started: take it back, so that it can be dropped.
        self._handout.recall()
        self._handout.take_out(held=set(held))
        self._limits.lose(held)

    def pause(self, queues: Set[str]) -> None:
        """Give back what no runner has of these queues."""
        self._handout.recall()
        self._work.given_back += [GivenBack(job) for job in self._handout.take_out(queues=queues)]

    def cancel(self, asked: Iterable[Cancel]) -> None:
        """Tell the runs that somebody wants cancelled, end those to be forced, give back what has not begun.

        One that a runner is just reading is in neither place: it is told when this is called again.
        """
        unmet = {one.held: one.forced for one in asked}
        for seat, held, run in self._runners.running():
            if held in unmet:
                seat.slip.ask_cancel(run)
                if unmet.pop(held):
                    self._ladder.stop(seat, held, run, Verdict.CANCELLED)
        if unmet:
            self._handout.recall()
            jobs = self._handout.take_out(held=unmet)
            self._work.given_back += [GivenBack(job) for job in jobs]

    def enforce(self) -> float:
        """Apply the limits on time; return when to look again at the latest (seconds)."""
        self._work.finished += self._ladder.take_ended(self._handout.out)
        step = min(self._ladder.climb(), self._runners.see_off())
        if not self._handout.out:
            return step
        begun, wait = self._limits.enforce(self._handout.out)
        self._work.begun += begun
        self._work.notes.update(self._notes.due(self._handout.out))
        if self._recount is None and boottime() >= self._look_at:
            self._look_at = boottime() + LOOK_EVERY
            self._deaf.look(out=len(self._handout.shared.out))
            self._give_back_what_waits_in_vain()
        return min(step, wait, self._notes.wait)

    def _give_back_what_waits_in_vain(self) -> None:
        """Give back what was claimed ahead behind short jobs that turned out to be long ones."""
        busy_for = self._runners.busy_for()
        if busy_for > PATIENCE:
            self._pace.expect(seconds=busy_for)  # first of all, so that the same are not claimed again
            self._handout.shared.recall()
            self._work.given_back += [GivenBack(job) for job in self._handout.shared.empty_buffer()]

    def hand_out(self) -> float:
        """Give the runners as much as the pace allows, while the lease is good.

        Returns:
            When to apply the limits on time at the latest (seconds): those of what was handed out
            just now are not known before its runner has begun it, and nothing tells of that.
        """
        if self._recount is None and self.lease_good:
            self._pace.slots = self._runners.open_slots
            self._handout.refill(self._pace.out + self._runners.lasting)
        return LOOK_EVERY if self._handout.out else float("inf")

    def give_back(self) -> None:
        """Give back all that no runner has."""
        self._work.given_back += [GivenBack(job) for job in self._handout.empty_buffer()]

    def stop_running(self, verdict: Verdict) -> None:
        """Stop every run."""
        for seat, held, run in self._runners.running():
            self._ladder.stop(seat, held, run, verdict)

    def kill_running(self, verdict: Verdict) -> None:
        """Kill every runner that is running a job."""
        for seat, _, _ in self._runners.running():
            self._runners.kill(seat.runner, verdict)

    @property
    def lease_good(self) -> bool:
        """Whether what the worker holds is still its own."""
        return boottime_ns() <= self._slips.lease_ns

    @property
    def nap(self) -> float:
        """For how long (seconds) no report needs to be read."""
        return self._gathering.nap(out=len(self._handout.shared.out))

    @property
    def patience(self) -> float:
        """For how long (seconds) the desk need not be told of the work there is."""
        return self._gathering.patience(self._work, waiting=self._handout.shared.has_waiting)

    def take_work(self) -> Work:
        """Take out what the desk has to write."""
        work, self._work = self._work, Work()
        self._given_back += len(work.given_back)
        return work

    def _finished(self, job: ClaimedJob, outcome: Outcome) -> None:
        self._work.finished.append((job, outcome))
        seconds = (outcome.finished_ns - outcome.started_ns) / 1e9
        self._pace.observe(seconds=seconds, payload=len(job.args) + len(job.meta or ""))

    def _noted(self, held: Held, outcome: Outcome) -> Outcome:
        """Return the outcome of a run together with what it has said last."""
        note = self._notes.end(held)
        return outcome._replace(note=note) if note else outcome
