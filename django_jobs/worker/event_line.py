"""What the parent and the runner that tells receivers share: a socket, and a page with one slip."""

from __future__ import annotations

from django_jobs.wire.slips import Slips
from django_jobs.wire.sockets import socket_pair


class EventLine:
    """The two ends of a socket, and the slip on which the runner says which event it tells.

    Attributes:
        ours, runner: the two ends.
        slips: a page of its own, with a slip for this one alone.
    """

    def __init__(self) -> None:
        self.ours, self.runner = socket_pair()
        self.ours.setblocking(False)
        self.slips = Slips.create(1)

    def close(self) -> None:
        """Free all of it."""
        self.ours.close()
        self.runner.close()
        self.slips.close()
