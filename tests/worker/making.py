"""Fakes for the worker's rooms: a starter that only takes notes, runners played by the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django_jobs.engines.rows import ClaimedJob, Held
from django_jobs.outcomes import ErrorReport, Outcome
from django_jobs.states import AttemptOutcome, ErrorKind
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.messages import Assignment, Refusal, report_to_bytes
from django_jobs.wire.slips import Slips, SlipState
from django_jobs.wire.sockets import receive, send, socket_pair
from django_jobs.worker.floor import Floor
from django_jobs.worker.handout import Handout
from django_jobs.worker.line import Line
from django_jobs.worker.pace import Pace
from django_jobs.worker.places import Places
from django_jobs.worker.runners import Runners
from django_jobs.worker.starting import Event, What

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def claimed(**columns: Any) -> ClaimedJob:
    """Return a job as a claim returns it."""
    return ClaimedJob(
        **{
            "id": uuid4(),
            "function": "tests.jobs.nothing",
            "queue": "default",
            "priority": 0,
            "run_after": NOON,
            "args": '{"args": [], "kwargs": {}}',
            "options": None,
            "max_attempts": 3,
            "timeout": 300.0,
            "round": 1,
            "attempts": 0,
            "interruptions": 0,
            "token": 7,
            "meta": None,
            **columns,
        }
    )


def held(job: ClaimedJob) -> Held:
    """Return a job's fence."""
    return Held(job.id, job.token)


def completed(job: ClaimedJob, **more: Any) -> Outcome:
    """Return the outcome of a run that went well."""
    now = boottime_ns()
    return Outcome(job.id, job.token, AttemptOutcome.COMPLETED, started_ns=now, finished_ns=now, **more)


def failed(job: ClaimedJob, *, traceback: str = "") -> Outcome:
    """Return the outcome of a run that raised."""
    now = boottime_ns()
    error = ErrorReport(ErrorKind.EXCEPTION, "ValueError", "no", traceback)
    return Outcome(job.id, job.token, AttemptOutcome.FAILED, error=error, started_ns=now, finished_ns=now)


class FakeStarter:
    """Takes note of what it is told; its events are what the test puts there."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.interrupted: list[tuple[int, int]] = []
        self.killed: list[tuple[int, int]] = []
        self.stopped = 0

    def fileno(self) -> int:
        raise AssertionError("a test plays the runners itself: there is nothing to select on")

    def start(self, slot: int) -> None:
        self.started.append(slot)

    def interrupt(self, slot: int, pid: int) -> None:
        self.interrupted.append((slot, pid))

    def kill(self, slot: int, pid: int) -> None:
        self.killed.append((slot, pid))

    def events(self) -> list[Event]:
        return []

    def stop(self) -> None:
        self.stopped += 1


class Shop:
    """A floor with runners that the test plays itself. Their pids are no process's."""

    def __init__(self, *, count: int = 2, threads: int = 1, kill_after: float = 1.0) -> None:
        self.starter = FakeStarter()
        self.places = Places(count, threads)
        self.slips = Slips.create(self.places.slips)
        self.slips.lease_ns = boottime_ns() + 60 * 10**9
        self.jobs, self.alone = Line(*socket_pair()), Line(*socket_pair())
        self.runners = Runners(self.starter, self.slips, self.places)
        self.handout = Handout(shared=self.jobs, alone=self.alone)
        self.pace = Pace(slots=self.places.slots)
        self.floor = Floor(
            handout=self.handout,
            runners=self.runners,
            slips=self.slips,
            pace=self.pace,
            kill_after=kill_after,
        )

    def born(self, *slots: int) -> None:
        """Let runners be born; they wait for work."""
        self.staff()
        for slot in slots:
            self.runners.born(slot, pid_of(slot))
            for number in self.places.slips_of(slot):
                self.slips[number].say(SlipState.IDLE)

    def staff(self) -> float:
        """Have runners made where there are none."""
        return self.runners.staff(alone=self.floor.has_one_alone)

    def hand_out(self, *jobs: ClaimedJob) -> None:
        """Claim jobs and hand them out."""
        self.floor.take_in(jobs)
        self.floor.hand_out()

    def reads(self, slot: int) -> Assignment:
        """Play a runner that reads a message and has not named it yet."""
        self.slips[slot].say(SlipState.RECEIVING)
        message = receive(self._line(slot).runners)
        assert message is not None
        return Assignment.from_bytes(message)

    def begins(self, slot: int, *, started_ns: int | None = None) -> UUID:
        """Play a runner that reads a message and starts the job."""
        assignment = self.reads(slot)
        start = boottime_ns() if started_ns is None else started_ns
        self.slips[slot].busy(assignment.job_id, assignment.token, start)
        return assignment.job_id

    def finishes(self, slot: int, report: Outcome | Refusal) -> None:
        """Play a runner that reports and waits for more."""
        send(self._line(slot).runners, report_to_bytes(report))
        self.slips[slot].say(SlipState.IDLE)

    def leaves(self, slot: int, report: Outcome) -> None:
        """Play a runner that reports and ends, because it was told to stop."""
        send(self._line(slot).runners, report_to_bytes(report))
        self.slips[slot].say(SlipState.LEAVING)

    def dies(self, slot: int, *, status: int = 9, what: What = What.DIED) -> None:
        """Let the death of a runner be heard."""
        self.floor.bury(Event(what, slot, pid_of(slot), status))

    def close(self) -> None:
        """Free the sockets."""
        self.jobs.close()
        self.alone.close()

    def _line(self, slot: int) -> Line:
        return self.alone if slot == self.slips.count - 1 else self.jobs


@contextmanager
def shop(*, count: int = 2, threads: int = 1, kill_after: float = 1.0) -> Iterator[Shop]:
    """Return a floor for the time of a test."""
    made = Shop(count=count, threads=threads, kill_after=kill_after)
    try:
        yield made
    finally:
        made.close()


def pid_of(slot: int) -> int:
    """Return a pid beyond what Linux gives to any process."""
    return 2**23 + slot
