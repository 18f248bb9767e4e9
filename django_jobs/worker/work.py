"""What the loop hands over to the desk to be written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from django_jobs.engines.rows import ClaimedJob, Held
from django_jobs.notes import Note
from django_jobs.outcomes import Outcome

# So many rows a transaction settles at most.
UNIT = 200


class GivenBack(NamedTuple):
    """A claimed job that did not run; delay (seconds) and reason where it should wait.

    `turned_away` says that it only waits for room here: a worker that is to run all that is due is not done.
    """

    job: ClaimedJob
    delay: float | None = None
    reason: str = ""
    turned_away: bool = False


class Begun(NamedTuple):
    """A run that has lasted so long that its start is worth a write; CLOCK_BOOTTIME."""

    held: Held
    started_ns: int


@dataclass(slots=True)
class Work:
    """What the desk has to write for the loop."""

    finished: list[tuple[ClaimedJob, Outcome]] = field(default_factory=list)
    given_back: list[GivenBack] = field(default_factory=list)
    begun: list[Begun] = field(default_factory=list)
    notes: dict[Held, Note] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.finished or self.given_back or self.begun or self.notes)

    @property
    def only_ends(self) -> bool:
        """Whether it is about jobs that have ended, and nothing else."""
        return bool(self.finished) and not (self.given_back or self.begun or self.notes)

    @property
    def back_in(self) -> float | None:
        """How long the first of these waits that is to run again, or at last (seconds); None if none does."""
        waits = [outcome.retry_in for _, outcome in self.finished if outcome.retry_in]  # at 0 it is ready
        waits += [given.delay for given in self.given_back if given.delay is not None]
        return min(waits, default=None)

    def add(self, other: Work) -> None:
        """Append another's work to this."""
        self.finished += other.finished
        self.given_back += other.given_back
        self.begun += other.begun
        self.notes.update(other.notes)

    def take(self, most: int) -> Work:
        """Take out up to so many of each kind, and all notes: at most one for each slot."""
        taken = Work(self.finished[:most], self.given_back[:most], self.begun[:most], self.notes)
        del self.finished[:most], self.given_back[:most], self.begun[:most]
        self.notes = {}
        return taken
