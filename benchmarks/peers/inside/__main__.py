"""Measure one peer in its own environment: `python -m benchmarks.peers.inside taskito` (`visit.py` runs it).

First the idle worker, then the filling, then the drain of all that was filled. No measure takes much longer
than it may: a slow peer is measured on fewer jobs.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import statistics
import time
from collections.abc import Callable

from benchmarks.figures import Figure, percentile, tell
from benchmarks.peers.inside.peer import Peer
from benchmarks.peers.inside.place import counter
from benchmarks.peers.inside.working import Ear, working

# Between two jobs for an idle worker (seconds): random, so that those that poll are met at any moment.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.15, 0.65
WARM_UP = 2
CHUNK = 100
# Between two looks at the drain (seconds): rarely while much is left, for each costs the peer something.
SHORTEST_LOOK, LONGEST_LOOK = 0.005, 0.25


def main() -> None:
    """Measure; tell the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("script")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=5)
    given = parser.parse_args()
    peer: Peer = importlib.import_module(f"benchmarks.peers.scripts.{given.script}").PEER
    ear = Ear()
    peer.set_up()
    left = counter(peer.left)
    tell(
        *waits(peer, ear, seconds=given.seconds),
        *filling(peer, given.jobs, seconds=given.seconds),
        drain(peer, ear, left, seconds=given.seconds),
    )
    # Some peers' threads would outlive their last word.
    os._exit(0)


def waits(peer: Peer, ear: Ear, *, seconds: float) -> list[Figure]:
    """Return how long jobs wait for an idle worker, from the return of enqueueing to the job's first line."""
    with working(peer):
        for _ in range(WARM_UP):
            _wait_for_one(peer, ear)
        end = time.monotonic() + seconds
        found = [_wait_for_one(peer, ear)]
        while time.monotonic() < end:
            found.append(_wait_for_one(peer, ear))
    found.sort()
    return [
        Figure("latency p50", statistics.median(found), "ms"),
        Figure("latency p99", percentile(found, 0.99), "ms"),
    ]


def _wait_for_one(peer: Peer, ear: Ear) -> float:
    peer.enqueue(0)
    enqueued = time.monotonic_ns()
    began = ear.next_began()
    time.sleep(random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE))
    return max(0, began - enqueued) / 1e6  # an eager worker begins before enqueueing returns


def filling(peer: Peer, jobs: int, *, seconds: float) -> list[Figure]:
    """Enqueue jobs one by one, and as many at once where the peer can.

    Of the former also the processor time of this process, which a busy machine leaves as it is.
    """
    used, began = time.process_time(), time.monotonic()
    enqueued = 0
    while enqueued < jobs and time.monotonic() < began + seconds:
        peer.enqueue_each(range(enqueued, enqueued + CHUNK))
        enqueued += CHUNK
    took, used = time.monotonic() - began, time.process_time() - used
    figures = [
        Figure("enqueue one by one", enqueued / took, "/s"),
        Figure("processor time to enqueue one", used / enqueued * 1e6, "µs"),
    ]
    if peer.has_bulk:
        began = time.monotonic()
        peer.enqueue_many(range(enqueued, enqueued + jobs))
        figures.append(Figure("enqueue at once", jobs / (time.monotonic() - began), "/s"))
    return figures


def drain(peer: Peer, ear: Ear, left: Callable[[], int], *, seconds: float) -> Figure:
    """Let the worker have what was filled; return how many a second it finishes, from the first start on."""
    total = rest = left()
    with working(peer):
        began = ear.next_began() / 1e9
        while rest and time.monotonic() < began + seconds:
            time.sleep(_until_next_look(total, rest, time.monotonic() - began))
            rest = left()
        took = time.monotonic() - began
    return Figure("drain", (total - rest) / took, "/s")


def _until_next_look(total: int, rest: int, passed: float) -> float:
    """Return the time in which half of what is left will be done at the present pace (seconds)."""
    if rest == total:
        return SHORTEST_LOOK
    return min(LONGEST_LOOK, max(SHORTEST_LOOK, passed / (total - rest) * rest / 2))


if __name__ == "__main__":
    main()
