"""What a peer's script has to offer: the one protocol between it and the measures."""

from __future__ import annotations

import asyncio
import sys
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Sequence
from pathlib import Path


class Peer(ABC):
    """A task queue in a fresh, empty database.

    Attributes:
        left: SQL that counts the jobs that are not finished yet.
        has_bulk: whether it can enqueue many jobs by one call.
        copies: how many of its workers are started: two of those that run one job at a time.
    """

    left: str
    has_bulk = False
    copies = 1

    @abstractmethod
    def set_up(self) -> None:
        """Make its tables, and whatever its documentation asks for before the first job."""

    @abstractmethod
    def enqueue(self, number: int) -> object:
        """Enqueue one job, committed when this returns."""

    @abstractmethod
    def worker(self) -> list[str]:
        """Return the command that starts its worker with the setting of this visit."""

    def enqueue_each(self, numbers: Sequence[int]) -> None:
        """Enqueue jobs one by one."""
        for number in numbers:
            self.enqueue(number)

    def enqueue_many(self, numbers: Sequence[int]) -> None:
        """Enqueue jobs at once, committed when this returns."""
        raise NotImplementedError


class AsyncPeer(Peer):
    """One whose own way to enqueue is a coroutine; all run in one loop, as in an asynchronous project."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def wait(self, coroutine: Coroutine[object, object, object]) -> None:
        """Run a coroutine to its end."""
        self._loop.run_until_complete(coroutine)

    @abstractmethod
    async def enqueue_later(self, number: int) -> object:
        """Enqueue one job, committed when this is awaited."""

    def enqueue(self, number: int) -> None:
        """Enqueue one job."""
        self.wait(self.enqueue_later(number))

    def enqueue_each(self, numbers: Sequence[int]) -> None:
        """Enqueue jobs one by one without leaving the loop in between."""
        self.wait(self._each(numbers))

    async def _each(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            await self.enqueue_later(number)


def program(name: str) -> str:
    """Return the path of a command that came with the peer."""
    return str(Path(sys.executable).parent / name)
