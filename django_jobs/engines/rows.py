"""What goes into the engines' verbs and what comes out: plain tuples, never model instances."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django_jobs.notes import Note
from django_jobs.options import OnFailure
from django_jobs.outcomes import Outcome
from django_jobs.states import AttemptOutcome, Status

# After so many interruptions a job runs alone, with its start stored before it: the next death is its own.
MAX_INTERRUPTIONS = 5


class NewJob(NamedTuple):
    """The columns a plain enqueue writes, in the order of the INSERT."""

    id: UUID
    function: str
    queue: str
    status: Status
    priority: int
    run_after: datetime
    args: str
    options: str | None
    max_attempts: int
    timeout: float | None
    holds: int = 0
    reason: str = ""


class Replay(NamedTuple):
    """A dead letter, by its id, and the job to be made of it."""

    dead: UUID
    job: NewJob


class ClaimedJob(NamedTuple):
    """What a worker needs to run a job it has claimed, and to settle it without reading it again."""

    id: UUID
    function: str
    queue: str
    priority: int
    run_after: datetime
    args: str
    options: str | None
    max_attempts: int
    timeout: float | None
    round: int
    attempts: int
    interruptions: int
    token: int
    meta: str | None = None  # of no claim: what a job that ran before has saved, which is read beside it

    @property
    def number(self) -> int:
        """The number of the attempt this claim leads to: charged attempts of the round + 1."""
        return self.attempts + 1

    @property
    def runs_alone(self) -> bool:
        """Whether it was interrupted so often that nobody but itself may end the next run."""
        # A spoilt row may hold anything here.
        return isinstance(self.interruptions, int) and self.interruptions >= MAX_INTERRUPTIONS


class Held(NamedTuple):
    """A claim by its fence: the job's id and the token it was claimed under."""

    id: UUID
    token: int


class Outlook(NamedTuple):
    """What an idle worker wants to know.

    Attributes:
        ready: the queues with a ready job, sorted.
        paused: the paused queues, sorted.
        due: when the next scheduled job is due, None when there is none.
    """

    ready: list[str]
    paused: list[str]
    due: datetime | None


class Lease(NamedTuple):
    """Until when what was claimed under a token is somebody's, as stored."""

    token: int
    ends: datetime


class Ack(NamedTuple):
    """An outcome with what the row needs besides it.

    Attributes:
        round, number: of the attempt, as claimed.
        worker_id: who ran it.
        started_at, finished_at: the outcome's times on the database's clock.
        result_ttl: the job's option, seconds the result is kept; None keeps it as long as the job.
        on_failure: the job's option, what is called when it is dead.
    """

    outcome: Outcome
    round: int
    number: int
    worker_id: str
    started_at: datetime | None
    finished_at: datetime
    result_ttl: float | None = None
    on_failure: OnFailure | None = None

    @property
    def held(self) -> Held:
        """The fence this ack is written under."""
        return Held(self.outcome.job_id, self.outcome.token)

    @property
    def log(self) -> str | None:
        """What the run has logged."""
        return self.outcome.note.log if self.outcome.note else None


class Amended(NamedTuple):
    """An ack that was not written as it was given, or that has made a new job.

    Attributes:
        outcome: what was written of the run; another one where the database could not store it; None:
            nothing was, because the claim is no longer ours.
        cancelled: whether the job was cancelled, as somebody had asked, and does not go where its outcome
            would lead it.
        enqueued: the job that the dead one's on_failure has made.
    """

    held: Held
    outcome: Outcome | None
    cancelled: bool = False
    enqueued: NewJob | None = None


class Started(NamedTuple):
    """A run that is under way, with its start on the database's clock."""

    held: Held
    started_at: datetime


class Noted(NamedTuple):
    """What a run that is under way says of itself, and when (on the database's clock)."""

    held: Held
    note: Note
    at: datetime


class Released(NamedTuple):
    """A claimed job to give back unrun.

    Attributes:
        run_after: None puts it back in its old place; a time makes it scheduled for then.
        reason: why, as the admin shows it; empty for a plain return.
    """

    held: Held
    run_after: datetime | None = None
    reason: str = ""


class Returned(NamedTuple):
    """What became of jobs that were given back: how many were still ours, which of these were cancelled."""

    ours: int = 0
    cancelled: tuple[Held, ...] = ()


class Cancel(NamedTuple):
    """A running job that somebody wants cancelled; forced: whatever its code does about it."""

    held: Held
    forced: bool


class Rescued(NamedTuple):
    """A job whose lease ran out, and what became of it.

    Attributes:
        ack: what was written of its run in the name of its worker.
        enqueued: the job that its on_failure has made.
    """

    id: UUID
    function: str
    queue: str
    priority: int
    max_attempts: int
    status: Status
    ack: Ack
    enqueued: NewJob | None = None

    @property
    def worker_id(self) -> str:
        """Who lost it."""
        return self.ack.worker_id

    @property
    def outcome(self) -> AttemptOutcome:
        """How its run counts."""
        return self.ack.outcome.outcome


class Run(NamedTuple):
    """A run to be counted; the seconds in the queue and of running are None where nobody knows them."""

    function: str
    queue: str
    outcome: AttemptOutcome
    waited: float | None = None
    ran: float | None = None


class Count(NamedTuple):
    """The columns of a Counter, in the order of the INSERT."""

    minute: datetime
    worker_id: str
    function: str
    queue: str
    outcome: str
    runs: int
    queue_seconds: float
    run_seconds: float
    queue_histogram: str
    run_histogram: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Whose runs, from where, ended how."""
        return self.function, self.queue, self.outcome


class WorkerRow(NamedTuple):
    """How a worker describes itself.

    Attributes:
        queues: what it serves, in words.
        slots: how many jobs it runs at once.
    """

    id: str
    hostname: str
    pid: int
    queues: str
    slots: int
    version: str
