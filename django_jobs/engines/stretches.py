"""Where claims leave off, and the parts of its queues that a claim looks at when it is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

# What a smallint holds.
LOWEST, HIGHEST = -(2**15), 2**15 - 1


class Place(NamedTuple):
    """A place in the order in which jobs are claimed: that of the last one of its queue and priority."""

    queue: str
    priority: int
    run_after: datetime
    id: UUID


Places = Sequence[Place]


class Stretch(NamedTuple):
    """The priorities of a queue between two that claims have left off in, all inclusive."""

    queue: str
    lowest: int
    highest: int


def stretches(queues: Sequence[str], past: Places) -> tuple[list[Stretch], list[Place]]:
    """Return which priorities of these queues to look at as a whole, and which from a place on."""
    places = sorted((place for place in past if place.queue in queues), key=lambda one: -one.priority)
    whole: list[Stretch] = []
    for queue in queues:
        highest = HIGHEST
        for place in (place for place in places if place.queue == queue):
            whole.append(Stretch(queue, place.priority + 1, highest))
            highest = place.priority - 1
        whole.append(Stretch(queue, LOWEST, highest))
    return [one for one in whole if one.lowest <= one.highest], places
