"""Ways to read counters: added up over time, and by what one wants to tell apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from django.db.models import Q
from django.utils import timezone

from django_jobs.histograms import Histogram
from django_jobs.models.primary import PrimaryQuerySet
from django_jobs.states import AttemptOutcome

if TYPE_CHECKING:
    from django_jobs.models.counter import Counter

MINUTE = timedelta(minutes=1)


@dataclass
class Summary:
    """What several counters come to.

    Attributes:
        outcomes: how many runs ended in each way, every way named, zero included.
        queue: the seconds they waited from when they were due until they started.
        run: the seconds they ran.
    """

    outcomes: dict[str, int] = field(default_factory=lambda: {each.value: 0 for each in AttemptOutcome})
    queue: Histogram = field(default_factory=Histogram)
    run: Histogram = field(default_factory=Histogram)

    @property
    def runs(self) -> int:
        """How many runs there were."""
        return sum(self.outcomes.values())

    def add(self, counter: Counter) -> None:
        """Add one row."""
        self.outcomes[counter.outcome] = self.outcomes.get(counter.outcome, 0) + counter.runs
        self.queue.merge(Histogram.from_json(counter.queue_histogram, counter.queue_seconds))
        self.run.merge(Histogram.from_json(counter.run_histogram, counter.run_seconds))

    def merge(self, other: Summary) -> None:
        """Add all that another comes to."""
        for outcome, runs in other.outcomes.items():
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + runs
        self.queue.merge(other.queue)
        self.run.merge(other.run)


class CounterQuerySet(PrimaryQuerySet["Counter"]):
    """Counters by time, and what they come to."""

    def since(self, moment: datetime) -> CounterQuerySet:
        """Return the counters of all minutes that had not ended at a moment."""
        # Two ranges of the one index: what is folded, and the little that is not.
        return self.filter(
            Q(worker_id="", minute__gt=moment - MINUTE) | Q(worker_id__gt="", minute__gt=moment - MINUTE)
        )

    def last_hour(self) -> CounterQuerySet:
        """Return the counters of the last sixty minutes and of the one that has begun."""
        return self.since(timezone.now() - timedelta(hours=1))

    def summary(self) -> Summary:
        """Return what all these counters come to."""
        summary = Summary()
        for counter in self.iterator():
            summary.add(counter)
        return summary

    def summary_by(self, name: Literal["function", "queue"]) -> dict[str, Summary]:
        """Return what they come to for each function or each queue, sorted by name."""
        summaries: dict[str, Summary] = {}
        for counter in self.iterator():
            summaries.setdefault(getattr(counter, name), Summary()).add(counter)
        return dict(sorted(summaries.items()))
