"""How a worker works, as its command line says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django_jobs.recycling import Recycling

START_METHODS = ("fork", "exec")


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker works.

    Attributes:
        queues: the queues to serve; empty serves all.
        exclude: queues never to serve.
        processes: how many processes run jobs.
        threads: how many jobs each of them runs at once.
        burst: end when nothing is due any more.
        max_jobs: end after so many jobs; None for any number.
        max_seconds: end after so long; None for any time.
        recycling: when a runner is replaced by a fresh one.
        poll_interval: seconds between looks that nothing woke it for; None takes POLL_INTERVAL.
        grace: seconds that running jobs may go on at shutdown; None takes SHUTDOWN_GRACE.
        start_method: fork or exec; None forks where that is safe.
        worker_id: what its id begins with; None takes host and pid.
        health_file: where it shows that it is well; None for nowhere.
        log_level: of the worker's own lines, where the project configured none.
        whole_process: whether the process ends with the worker: signals that come then change nothing.
    """

    queues: Sequence[str] = ()
    exclude: Sequence[str] = ()
    processes: int = 2
    threads: int = 1
    burst: bool = False
    max_jobs: int | None = None
    max_seconds: float | None = None
    recycling: Recycling = field(default_factory=Recycling)
    poll_interval: float | None = None
    grace: float | None = None
    start_method: str | None = None
    worker_id: str | None = None
    health_file: str | None = None
    log_level: int = 20
    whole_process: bool = False
