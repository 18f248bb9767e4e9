"""What the demo shows, one chapter after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from django_jobs.conf import conf
from django_jobs.models.queries import JobQuerySet
from django_jobs.states import Status
from example_project.airports.demo import crowd, screen, stopping, tables
from example_project.airports.demo.bar import Shown, bar
from example_project.airports.demo.crew import Crew
from example_project.airports.demo.database import look
from example_project.airports.demo.plan import fresh_run, jobs_of, unfinished_run
from example_project.airports.demo.tally import Progress, progress, summary, surprises
from example_project.airports.models import DemoRun

LOOK_EVERY = 0.1


class Surprise(Exception):
    """Something did not end as it should; says what."""


class Chapters:
    """A run of the demo: planned, worked through, and then jobs that hang; all with the same workers.

    Args:
        crew: the workers, entered before the first chapter.
        timeout: seconds that the jobs of one chapter may take.
    """

    def __init__(self, crew: Crew, *, timeout: float) -> None:
        self._crew = crew
        self._timeout = timeout
        self._run = DemoRun()

    def plan(self) -> None:
        """Continue the run that was cut short, or enqueue a fresh one."""
        stopping.end_leftovers()
        if run := unfinished_run():
            _tell(f"Continuing the {run}: {progress(jobs_of(run)).final} jobs are final already.")
        else:
            _tell("Planning a fresh run of the airport guide.")
        self._run = run or fresh_run()

    def work(self) -> None:
        """Run the guide's jobs to the end, and sum up."""
        self._finish(jobs_of(self._run))
        _tell(tables.summary(summary(self._run)))
        _tell(screen.harvest())
        _expect(surprises(self._run))

    def stop_by_limit(self) -> None:
        """Let jobs hang until their time limits end them."""
        _tell(screen.HANG)
        self._hang(stopping.enqueue_kinds(), expected=Status.DEAD)

    def stop_one_of_eight(self) -> None:
        """Let one of eight jobs hang that share a process; the others go on in another one."""
        _tell(screen.crowd_begins(crowd.RUNWORKER))
        jobs = crowd.enqueue_crowd()
        self._crew.add(crowd.RUNWORKER)
        self._finish(jobs.all)
        _tell(tables.endings(stopping.endings(jobs.hung)))
        _tell(screen.crowd_ends(crowd.tell(jobs.neighbours)))
        _expect(stopping.surprises(jobs.hung, expected=Status.DEAD))
        _expect(crowd.surprises(jobs.neighbours))

    def stop_by_hand(self) -> None:
        """Let a job hang until it is cancelled from a second terminal."""
        _tell(screen.CANCEL)
        hung = stopping.enqueue_long()
        self._watch(hung, until=lambda now: now.begun == 1)
        words = stopping.cancelling(hung.get().pk)
        _tell(f"  $ {screen.manage()} {' '.join(words)}")
        _tell(f"  {stopping.second_terminal(words)}")
        self._hang(hung, expected=Status.CANCELLED)

    def _hang(self, hung: JobQuerySet, *, expected: Status) -> None:
        self._finish(hung)
        _tell(tables.endings(stopping.endings(hung)))
        _expect(stopping.surprises(hung, expected=expected))

    def _finish(self, jobs: JobQuerySet) -> None:
        self._watch(jobs, until=lambda now: now.finished)

    def _watch(self, jobs: JobQuerySet, *, until: Callable[[Progress], bool]) -> None:
        deadline = time.monotonic() + self._timeout
        shown = Shown(bar())
        with shown.bar.alive:
            while not (now := look(jobs)) or not until(now):
                shown.advance(now)
                for code in self._crew.keep_alive():
                    shown.killed(code, lease=conf().LEASE)
                if time.monotonic() > deadline:
                    raise TimeoutError(
                        f"{shown.left} jobs are not final after {self._timeout:g} s; see {self._crew.log}"
                    )
                time.sleep(LOOK_EVERY)
            shown.advance(now)


def _tell(text: str) -> None:
    print(text, flush=True)


def _expect(surprises: Iterable[str]) -> None:
    if unexpected := list(surprises):
        raise Surprise("\n".join(["Not as expected:", *unexpected]))
