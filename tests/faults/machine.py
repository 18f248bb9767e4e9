"""The life of a job as a small machine: what the database knows of it, and what each verb makes of that.

Written down apart from the engines, in as few words as possible, so that it can be explored to its end and
the engines can be compared with it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from django_jobs.states import FINAL, PENDING, AttemptOutcome, CancelRequest, Status

MAX_ATTEMPTS = 3
WORKERS = (0, 1)


class Token(Enum):
    """What a worker comes with: the token of the row, or an old one, which is always at hand."""

    CURRENT = "its token"
    OLD = "an old token"


class Row(NamedTuple):
    """What is known of a job. Only what decides what may come next; None stands for no job.

    Attributes:
        alone: it was interrupted so often that its next death is charged.
        worker: whose claim it is under.
        lapsed: its lease is over.
        lost: its worker has died. The database does not know that.
    """

    status: Status
    holds: int = 0
    attempts: int = 0
    alone: bool = False
    worker: int | None = None
    started: bool = False
    asked: CancelRequest = CancelRequest.NONE
    lapsed: bool = False
    replayed: bool = False
    lost: bool = False


class End(NamedTuple):
    """How a worker says that a run ended, and after how many seconds there is to be another one."""

    outcome: AttemptOutcome
    retry_in: float | None = None


class Action(NamedTuple):
    """One step of somebody: a verb, which of its ways, and what a worker comes with."""

    verb: str
    way: Any = None
    token: Token | None = None


class Written(NamedTuple):
    """An attempt that was stored."""

    outcome: AttemptOutcome
    number: int
    token: Token


class Step(NamedTuple):
    """What an action has done: the row after it, whether it wrote anything, the attempt it wrote.

    Attributes:
        begun: new rounds of the job, and new jobs made of it.
        told: whether the verb said of how many rows it wrote that, and not more or less.
    """

    row: Row | None
    wrote: bool = False
    attempt: Written | None = None
    begun: int = 0
    told: bool = True


ENDS = (
    End(AttemptOutcome.COMPLETED),
    End(AttemptOutcome.FAILED, 0),
    End(AttemptOutcome.FAILED, 10),
    End(AttemptOutcome.FAILED),
    End(AttemptOutcome.TIMED_OUT, 10),
    End(AttemptOutcome.CRASHED),
    End(AttemptOutcome.CANCELLED),
    End(AttemptOutcome.INTERRUPTED),
)
# What a worker does to what it holds, in which ways.
_HOLDERS: dict[str, tuple[Any, ...]] = {
    "start": (None,),
    "renew": (None,),
    "release": (Status.READY, Status.SCHEDULED),
    "ack": ENDS,
}
# And to what it holds no more; the ways in which an ack is refused are two: charged, and not.
_LATE: dict[str, tuple[Any, ...]] = {**_HOLDERS, "ack": (ENDS[0], ENDS[-1])}
_OTHERS: dict[str, tuple[Any, ...]] = {
    "enqueue": (Row(Status.READY), Row(Status.SCHEDULED), Row(Status.WAITING, holds=2)),
    "unhold": (Status.READY, Status.SCHEDULED),
    "promote": (None,),
    "claim": WORKERS,
    "rescue": (None,),
    "cancel": (CancelRequest.ASKED, CancelRequest.FORCED),
    "requeue": (None,),
    "replay": (None,),
    "prune": tuple(sorted(FINAL)),
    "purge": (None,),
    # These two are no verbs: they happen.
    "lapse": (None,),
    "die": (None,),
}
ACTIONS = [
    *(Action(verb, way) for verb, ways in _OTHERS.items() for way in ways),
    *(Action(verb, way, Token.OLD) for verb, ways in _LATE.items() for way in ways),
    *(Action(verb, way, Token.CURRENT) for verb, ways in _HOLDERS.items() for way in ways),
]
# What nobody needs a person for.
BY_THEMSELVES = frozenset(
    {"unhold", "promote", "claim", "rescue", "lapse", "start", "renew", "release", "ack"}
)


def may(row: Row | None, action: Action) -> bool:
    """Return whether anybody would do this: the dead do nothing, the last attempt has no retry."""
    if action.verb == "enqueue":
        return row is None
    if row is None:
        return action.token is Token.OLD
    if action.verb == "ack" and action.way.retry_in is not None and row.attempts + 1 >= MAX_ATTEMPTS:
        return False
    return not (action.token is Token.CURRENT and (row.lost or row.status is not Status.RUNNING))


def after(row: Row | None, action: Action) -> Step:
    """Return what an action makes of a job; a step that wrote nothing where it is not to."""
    if row is not None and action.token is not Token.OLD:
        return _VERBS[action.verb](row, action.way) or Step(row)
    return Step(action.way, wrote=True) if action.verb == "enqueue" else Step(row)


def _unhold(row: Row, way: Status) -> Step | None:
    if row.status is not Status.WAITING:
        return None
    held = row._replace(holds=row.holds - 1)
    return Step(held if held.holds else held._replace(status=way), wrote=True)


def _promote(row: Row, way: None) -> Step | None:
    return _moved(row, Status.READY) if row.status is Status.SCHEDULED else None


def _claim(row: Row, way: int) -> Step | None:
    if row.status is not Status.READY:
        return None
    return _moved(row, Status.RUNNING, worker=way, started=row.alone)


def _start(row: Row, way: None) -> Step | None:
    return Step(row._replace(started=True), wrote=True)


def _renew(row: Row, way: None) -> Step | None:
    return Step(row._replace(lapsed=False), wrote=True)


def _release(row: Row, way: Status) -> Step | None:
    return Step(_ended(row, way), wrote=True)


def _ack(row: Row, way: End) -> Step | None:
    attempt = Written(way.outcome, row.attempts + 1, Token.CURRENT)
    if way.outcome is AttemptOutcome.INTERRUPTED:
        return Step(_ended(row, Status.READY, alone=True), wrote=True, attempt=attempt)
    return Step(_ended(row, _leads_to(way), attempts=row.attempts + 1), wrote=True, attempt=attempt)


def _leads_to(end: End) -> Status:
    if end.outcome is AttemptOutcome.COMPLETED:
        return Status.COMPLETED
    if end.outcome is AttemptOutcome.CANCELLED:
        return Status.CANCELLED
    if end.retry_in is None:
        return Status.DEAD
    return Status.SCHEDULED if end.retry_in else Status.READY


def _rescue(row: Row, way: None) -> Step | None:
    if not row.lapsed:
        return None
    if not row.started:
        return _ack(row, End(AttemptOutcome.INTERRUPTED))
    again = 10 if row.attempts + 1 < MAX_ATTEMPTS else None
    return _ack(row, End(AttemptOutcome.CRASHED, again))


def _cancel(row: Row, way: CancelRequest) -> Step | None:
    if row.status in PENDING:
        return _moved(row, Status.CANCELLED)
    if row.status is Status.RUNNING and row.asked < way:
        return _moved(row, Status.RUNNING, asked=way)
    return None


def _requeue(row: Row, way: None) -> Step | None:
    anew = Row(Status.READY, replayed=row.replayed)
    return Step(anew, wrote=True, begun=1) if row.status in FINAL else None


def _replay(row: Row, way: None) -> Step | None:
    if row.status is not Status.DEAD or row.replayed:
        return None
    return Step(row._replace(replayed=True), wrote=True, begun=1)


def _prune(row: Row, way: Status) -> Step | None:
    return Step(None, wrote=True) if row.status is way else None


def _purge(row: Row, way: None) -> Step | None:
    return Step(None, wrote=True) if row.status is not Status.RUNNING else None


def _lapse(row: Row, way: None) -> Step | None:
    return _moved(row, row.status, lapsed=True) if row.status is Status.RUNNING else None


def _die(row: Row, way: None) -> Step | None:
    return _moved(row, row.status, lost=True) if row.status is Status.RUNNING else None


def _moved(row: Row, status: Status, **values: Any) -> Step:
    return Step(row._replace(status=status, **values), wrote=True)


def _ended(row: Row, status: Status, **values: Any) -> Row:
    """Return a row without its claim; where somebody wants it cancelled it runs no more."""
    if row.asked and status is not Status.COMPLETED:
        status = Status.CANCELLED
    free = {"worker": None, "started": False, "asked": CancelRequest.NONE, "lapsed": False, "lost": False}
    return row._replace(status=status, **{**free, **values})


_VERBS: dict[str, Callable[[Row, Any], Step | None]] = {
    "unhold": _unhold,
    "promote": _promote,
    "claim": _claim,
    "start": _start,
    "renew": _renew,
    "release": _release,
    "ack": _ack,
    "rescue": _rescue,
    "cancel": _cancel,
    "requeue": _requeue,
    "replay": _replay,
    "prune": _prune,
    "purge": _purge,
    "lapse": _lapse,
    "die": _die,
}
