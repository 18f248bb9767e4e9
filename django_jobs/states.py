"""The states of a job, the outcomes of an attempt, and which verb may lead from where to where."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Status(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    SCHEDULED = "scheduled"
    READY = "ready"
    RUNNING = "running"
    COMPLETED = "completed"
    DEAD = "dead"
    CANCELLED = "cancelled"


PENDING = frozenset({Status.WAITING, Status.SCHEDULED, Status.READY})
FINAL = frozenset({Status.COMPLETED, Status.DEAD, Status.CANCELLED})


class AttemptOutcome(StrEnum):
    """How one run of a job ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    CRASHED = "crashed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def charged(self) -> bool:
        """Whether this run counts towards max_attempts."""
        return self is not AttemptOutcome.INTERRUPTED


class ErrorKind(StrEnum):
    """What kind of thing went wrong in an attempt."""

    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    SOFT_TIMEOUT = "soft timeout"
    CRASH = "crash"
    SERIALIZATION = "serialization"
    STORAGE = "storage"
    UNKNOWN_FUNCTION = "unknown function"


class CancelRequest(IntEnum):
    """What a person has asked of the run that is under way; the column holds the number."""

    NONE = 0
    ASKED = 1  # that the job ends itself
    FORCED = 2  # that it is ended


# verb → (states it may start from, states it may lead to). None: the job does not exist, yet or any more.
# Every guarded update of the engines follows this table; a test walks through all of it.
TRANSITIONS: dict[str, tuple[frozenset[Status | None], frozenset[Status | None]]] = {
    "enqueue": (frozenset({None}), PENDING),
    "unhold": (frozenset({Status.WAITING}), PENDING),
    "promote": (frozenset({Status.SCHEDULED}), frozenset({Status.READY})),
    "claim": (frozenset({Status.READY}), frozenset({Status.RUNNING})),
    "release": (
        frozenset({Status.RUNNING}),
        frozenset({Status.READY, Status.SCHEDULED, Status.CANCELLED}),
    ),
    "ack": (
        frozenset({Status.RUNNING}),
        frozenset({Status.READY, Status.SCHEDULED, Status.COMPLETED, Status.DEAD, Status.CANCELLED}),
    ),
    "rescue": (
        frozenset({Status.RUNNING}),
        frozenset({Status.READY, Status.SCHEDULED, Status.DEAD, Status.CANCELLED}),
    ),
    # It stays running: its worker hears of it and ends the run.
    "ask_cancel": (frozenset({Status.RUNNING}), frozenset({Status.RUNNING})),
    "cancel": (PENDING, frozenset({Status.CANCELLED})),
    "requeue": (FINAL, frozenset({Status.READY})),
    # It stays where it is; the job made of it begins as an enqueued one does.
    "replay": (frozenset({Status.DEAD}), frozenset({Status.DEAD})),
    "expire": (frozenset({Status.COMPLETED}), frozenset({Status.COMPLETED})),
    "prune": (FINAL, frozenset({None})),
    "purge": (PENDING | FINAL, frozenset({None})),
}
