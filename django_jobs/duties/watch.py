"""Whether a lease is over, told without the clock it was written by.

Where the database's clock is the host's, setting that clock moves "now" past every lease, or sets a
renewed lease back below it, while its worker is well. So a lease counts as over only when this
worker has itself seen it unchanged for a whole lease: by CLOCK_BOOTTIME, which nobody sets.

Workers may be started again more often than that, by cron for example. So one that sees a lease which
has ended notes in its place for how long it has been watched, and the next worker goes on from there.
Where the owner lives after all, its next renewal writes over the note.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django_jobs.engines.rows import Lease

# Other workers' leases may be longer than ours, by so many times; one that ends later than that was
# written by a clock that was ahead, perhaps by years.
LONGEST = 10
# A note is a moment that no clock says: so long after this.
NOTES = datetime(1000, 1, 1, tzinfo=UTC)
# Not for less than so many seconds: each is a write.
SHORTEST_NOTE = 1.0


def is_note(ends: datetime) -> bool:
    """Return whether what stands in the place of a lease's end is a note."""
    return NOTES <= ends < NOTES.replace(year=NOTES.year + 100)


def _noted(lease: Lease) -> float:
    return (lease.ends - NOTES).total_seconds() if is_note(lease.ends) else 0.0


class LeaseWatch:
    """What a worker has seen of everybody's leases.

    Args:
        lease: how long a claim is good for (seconds).
        interval: how often this looks (seconds).
    """

    def __init__(self, *, lease: float, interval: float) -> None:
        self._lease = lease
        # What it did not look at it has not watched: after a suspension the owners have to renew first.
        self._longest = max(lease / 2, 2 * interval)
        self._watched = self._looked = 0.0
        self._began: datetime | None = None  # what the clock would have said at 0 of CLOCK_BOOTTIME
        self._set_back = 0.0
        self._until: dict[Lease, float] = {}  # when each will have been watched for long enough
        self._suspected: list[Lease] = []

    def look(self, leases: Iterable[Lease], *, now: datetime, at: float) -> list[Lease]:
        """Take note of all leases there are; return those that are over.

        Args:
            now: the database's time.
            at: the same moment by CLOCK_BOOTTIME (seconds).
        """
        self._watched += min(at - self._looked, self._longest) if self._looked else 0.0
        self._looked = at
        self._note_setting(now - timedelta(seconds=at))
        self._until = {one: self._until.get(one) or self._first(one, now) for one in leases}
        self._suspected = [one for one in self._until if one.ends < now]
        return [one for one, until in self._until.items() if until <= self._watched]

    @property
    def suspects(self) -> bool:
        """Whether one has ended by the clock: most likely its worker is gone."""
        return bool(self._suspected)

    def notes(self) -> dict[Lease, datetime]:
        """Return what is to be stored in the place of the ends of those that are not over yet."""
        watched = {one: self._lease - (self._until[one] - self._watched) for one in self._suspected}
        notes = {
            one: NOTES + timedelta(seconds=seconds)
            for one, seconds in watched.items()
            if _noted(one) + SHORTEST_NOTE <= seconds < self._lease
        }
        # Under either name: it may not be stored.
        self._until.update({Lease(one.token, note): self._until[one] for one, note in notes.items()})
        return notes

    @property
    def wait(self) -> float:
        """How long until the next one can be over (seconds from the last look)."""
        waits = (until - self._watched for until in self._until.values() if until > self._watched)
        return min(waits, default=float("inf"))

    def _note_setting(self, began: datetime) -> None:
        self._set_back = max(0.0, ((self._began or began) - began).total_seconds())
        self._began = began

    def _first(self, lease: Lease, now: datetime) -> float:
        # It may have been written before the clock was set back, after the last look.
        left = (lease.ends - now).total_seconds() - self._set_back
        return self._watched + min(max(left, self._lease), LONGEST * self._lease) - _noted(lease)
