"""Which queues a worker serves."""

from __future__ import annotations

from collections.abc import Collection, Iterable


class QueueList:
    """The worker's choice of queues: all, or these, and never those.

    Args:
        names: the queues to serve; empty serves all.
        exclude: queues never to serve.
    """

    def __init__(self, *, names: Collection[str] = (), exclude: Collection[str] = ()) -> None:
        self._names, self._exclude = frozenset(names), frozenset(exclude)

    def __str__(self) -> str:
        served = ", ".join(sorted(self._names)) or "all queues"
        return f"{served} except {', '.join(sorted(self._exclude))}" if self._exclude else served

    def among(self, names: Iterable[str]) -> list[str]:
        """Return those of these queues that the worker serves."""
        return [name for name in names if self._serves(name)]

    def _serves(self, name: str) -> bool:
        return (not self._names or name in self._names) and name not in self._exclude
