"""After a runner's death: find out where every job that was out has got to.

A runner may die between reading a message and naming it on its slip; that job is then neither
in the socket nor on a slip. Nothing is handed out until every living runner's slip is settled.
"""

from __future__ import annotations

from django_jobs.engines.rows import ClaimedJob, Held
from django_jobs.wire.clock import boottime
from django_jobs.worker.handout import Handout
from django_jobs.worker.runners import Runners
from django_jobs.worker.verdicts import Verdict

# A living runner that has not settled its slip after so long is stuck (seconds). One that runs other jobs
# has longer: while one of them is in C code that keeps the interpreter, none of its threads can say anything.
PATIENCE, PATIENCE_BESIDE_JOBS = 1.0, 5.0


class Reconciliation:
    """One recount of the jobs that are out."""

    def __init__(self, handout: Handout, runners: Runners) -> None:
        self._handout, self._runners = handout, runners
        self._since = boottime()
        self._named: set[Held] = set()
        # First of all empty the socket: from now on nobody can read a message we do not know of.
        handout.recall()

    def settled(self) -> bool:
        """Return whether every runner says that it waits or what it runs; kills who will not say."""
        waiting = self._runners.unsettled()
        # Before the reports are read: a run that ends after this look is named here, one that
        # ended before it has sent its report. The other way round it could be in neither.
        self._named = {held for _, held, _ in self._runners.running()}
        for runner in waiting:
            patience = PATIENCE_BESIDE_JOBS if runner.runs else PATIENCE
            if boottime() > self._since + patience:
                self._runners.kill(runner, Verdict.STUCK)
        return not waiting

    def missing(self) -> list[ClaimedJob]:
        """Take out the jobs that are in no runner; read all reports between `settled` and this."""
        lost = [held for held in self._handout.out if held not in self._named]
        return [job for held in lost if (job := self._handout.settle(held)) is not None]
