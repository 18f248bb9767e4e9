"""What a worker's points must end in, written down before any of them was tried.

Whatever it is, the job is not lost: it comes to its one end, and what is stored of it can be told from what
has happened. The client's points are in `clients`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.faults.failpoints.points import AFTER, AMID, BEFORE, CUT, EXIT


class End(NamedTuple):
    """How it ends.

    Attributes:
        status: of the job; empty where there is none, or none any more.
        attempts: their outcomes, the first one first.
        starts: how often its code may have begun.
        errors: the kinds of its errors, the first one first.
    """

    status: str = ""
    attempts: tuple[str, ...] = ()
    starts: tuple[int, ...] = (0,)
    errors: tuple[str, ...] = ()


class Row(NamedTuple):
    """The ends of one point, for each place; None where there is no such place.

    Where the process of the worker ends a person or a service manager starts another one; where that of a
    runner or of the nursery does, the worker goes on by itself, and so it does where a connection is lost.
    """

    exit: tuple[End | None, End | None, End | None]
    cut: tuple[End | None, End | None, End | None] = (None, None, None)

    def ends(self) -> Iterator[tuple[str, str, End]]:
        """Yield place, fault and end."""
        for fault, ends in ((EXIT, self.exit), (CUT, self.cut)):
            for place, end in zip((BEFORE, AMID, AFTER), ends, strict=True):
                if end is not None:
                    yield place, fault, end


def _always(end: End) -> tuple[End, End, End]:
    return end, end, end


ONCE = End("completed", ("completed",), (1,))
# The worker that had it is gone, and nobody knows whether it ran: it is not charged for that.
REPEATED = End("completed", ("interrupted", "completed"), (2,))
UNBEGUN = End("completed", ("interrupted", "completed"), (1,))
MAYBE_BEGUN = End("completed", ("interrupted", "completed"), (1, 2))
# It had been running for a second, and its start was stored.
CRASHED = End("completed", ("crashed", "completed"), (2,), ("crash",))
CRASHED_UNBEGUN = End("completed", ("crashed", "completed"), (1,), ("crash",))
RETRIED = End("completed", ("failed", "completed"), (2,), ("exception",))
RETRIED_ANEW = End("completed", ("interrupted", "failed", "completed"), (3,), ("exception",))
DEAD = End("dead", ("failed",), (1,), ("exception",))
DEAD_ANEW = End("dead", ("interrupted", "failed"), (2,), ("exception",))
CANCELLED = End("cancelled", ("cancelled",), (1,))
# Who is asked to end does not run again, whoever dies.
CANCELLED_BY_RESCUE = End("cancelled", ("crashed",), (1,), ("crash",))
UNTOUCHED = End("completed")
GONE = End()

# An outcome that is not committed is as if the run had not ended; one that is, is not written again.
_ACK = Row(exit=(REPEATED, REPEATED, ONCE), cut=_always(ONCE))

TABLE: dict[str, Row] = {
    "ack": _ACK,
    "ack of a cancelled run": Row(
        exit=(CANCELLED_BY_RESCUE, CANCELLED_BY_RESCUE, CANCELLED), cut=_always(CANCELLED)
    ),
    "ack that retries": Row(exit=(RETRIED_ANEW, RETRIED_ANEW, RETRIED), cut=_always(RETRIED)),
    "appear": Row(exit=_always(ONCE), cut=_always(ONCE)),
    # A claim that nobody was told of is given back with the next renewal, or ends with its lease.
    "claim": Row(exit=(ONCE, ONCE, UNBEGUN), cut=_always(ONCE)),
    "count": _ACK,
    "event delivery": Row(exit=(ONCE, None, ONCE), cut=(ONCE, None, ONCE)),
    "expire": Row(exit=_always(UNTOUCHED), cut=_always(UNTOUCHED)),
    "fold": Row(exit=_always(GONE), cut=_always(GONE)),
    "forget workers": Row(exit=_always(GONE), cut=_always(GONE)),
    "hand-out": Row(exit=(UNBEGUN, None, MAYBE_BEGUN)),
    "message in hand": Row(exit=(ONCE, None, ONCE)),
    "note": Row(exit=_always(CRASHED), cut=_always(ONCE)),
    "nursery fork": Row(exit=(ONCE, None, ONCE)),
    # The job that answers for it is there once, with it or not at all.
    "on_failure's insert": Row(exit=(DEAD_ANEW, DEAD_ANEW, DEAD), cut=_always(DEAD)),
    "promote": Row(exit=_always(ONCE), cut=_always(ONCE)),
    "prune": Row(exit=_always(GONE), cut=_always(GONE)),
    "prune counters": Row(exit=_always(GONE), cut=_always(GONE)),
    "recount": Row(exit=(REPEATED, None, REPEATED)),
    "release": Row(exit=(UNBEGUN, UNBEGUN, ONCE), cut=_always(ONCE)),
    "renew": Row(exit=_always(CRASHED), cut=_always(ONCE)),
    "rescue": Row(exit=_always(CRASHED_UNBEGUN), cut=_always(CRASHED_UNBEGUN)),
    # What the job reads fails in the job: it is the job's own statement, and is not repeated for it.
    "run": Row(exit=(CRASHED_UNBEGUN, None, CRASHED), cut=(RETRIED, None, ONCE)),
    "runner's first moment": Row(exit=(ONCE, None, None)),
    "shutdown": Row(exit=(CRASHED, None, CRASHED)),
    "start stamp": Row(exit=(REPEATED, REPEATED, CRASHED), cut=_always(ONCE)),
    "take apart": Row(exit=(ONCE, None, ONCE)),
    # Only the row in the list of workers is left, until somebody forgets it.
    "vanish": Row(exit=(ONCE, None, ONCE), cut=(ONCE, None, ONCE)),
}

# How often receivers heard of the end: at most once is what they are promised.
HEARD = {(BEFORE, EXIT): 0, (AFTER, EXIT): 1, (BEFORE, CUT): 1, (AFTER, CUT): 1}
