"""What a runner is given when it is made."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from django_jobs.context import Workplace
from django_jobs.recycling import Recycling
from django_jobs.wire.slips import Slips
from django_jobs.wire.sockets import identity


@dataclass(frozen=True, slots=True)
class Post:
    """A runner's place in the worker.

    Attributes:
        slip: the number of its slip, or of the first of them: there is one for each of its threads.
        jobs: the socket it reads and reports on.
        slips: the worker's page.
        connection: which file the socket is, before any job could put another in its place.
    """

    slip: int
    jobs: socket.socket
    slips: Slips
    workplace: Workplace
    recycling: Recycling = field(default_factory=Recycling)
    connection: tuple[int, int] | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "connection", identity(self.jobs.fileno()))
