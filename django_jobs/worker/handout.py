"""Which claimed job is where: in the line of all runners, or in that of the one who works alone.

A job that must run alone is sent through a socket of its own to a runner that takes no other, so
that nobody's death but its own can end it. There is one such place, and no second job waits for
it here: another worker may have its place free.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Container, Mapping, Set

from django_jobs.engines.rows import ClaimedJob, Held
from django_jobs.worker.line import Line, Reported


class Handout:
    """The jobs this worker holds and has not settled.

    Attributes:
        shared: those for the runners that share a socket.
    """

    def __init__(self, *, shared: Line, alone: Line) -> None:
        self.shared, self._alone = shared, alone
        self._lines = (shared, alone)
        self._out = ChainMap(shared.out, alone.out)

    def __len__(self) -> int:
        return len(self.shared) + len(self._alone)

    @property
    def out(self) -> Mapping[Held, ClaimedJob]:
        """The jobs that are in a socket or in a runner."""
        return self._out

    @property
    def has_one_alone(self) -> bool:
        """Whether a job is here that must run alone."""
        return bool(len(self._alone))

    def add(self, job: ClaimedJob) -> bool:
        """Put a newly claimed job at the end of its line; return whether there was a place for it."""
        if not job.runs_alone:
            self.shared.add(job)
        elif self.has_one_alone:
            return False
        else:
            self._alone.add(job)
        return True

    def refill(self, most: int) -> None:
        """Hand jobs out until so many are out on the shared socket, or there is no more to hand out."""
        self.shared.refill(most)
        self._alone.refill(1)

    def reports(self) -> list[Reported]:
        """Return all that the runners have reported about jobs that are out; of each runner oldest first."""
        return [report for line in self._lines for report in line.reports()]

    def recall(self) -> None:
        """Take back what no runner has read."""
        for line in self._lines:
            line.recall()

    def settle(self, held: Held) -> ClaimedJob | None:
        """Take a job out that ended in another way than by a report; None when it is not out."""
        return self.shared.settle(held) or self._alone.settle(held)

    def empty_buffer(self) -> list[ClaimedJob]:
        """Take out all jobs that are not handed out."""
        return [job for line in self._lines for job in line.empty_buffer()]

    def take_out(self, *, queues: Set[str] = frozenset(), held: Container[Held] = ()) -> list[ClaimedJob]:
        """Take the jobs of these queues, and those of these claims, out of the buffers."""
        return [job for line in self._lines for job in line.take_out(queues=queues, held=held)]
