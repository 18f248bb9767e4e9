"""Which queues a worker serves."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

ANY = "*"


class QueueList:
    """The worker's choice of queues: all, or these, and never those.

    In a name `*` stands for any characters, also for none; no queue has one in its own name.

    Args:
        names: the queues to serve; empty serves all.
        exclude: queues never to serve, whatever `names` says.
    """

    def __init__(self, *, names: Collection[str] = (), exclude: Collection[str] = ()) -> None:
        self._names, self._exclude = frozenset(names), frozenset(exclude)
        self._served, self._refused = _any_of(self._names or {ANY}), _any_of(self._exclude)

    def __str__(self) -> str:
        served = ", ".join(sorted(self._names)) or "all queues"
        return f"{served} except {', '.join(sorted(self._exclude))}" if self._exclude else served

    @property
    def serves_nothing(self) -> bool:
        """Whether there can be no queue that this serves."""
        # A pattern that covers another one matches also its very text.
        return all(self._refused.fullmatch(name) for name in self._names or {ANY})

    def among(self, names: Iterable[str]) -> list[str]:
        """Return those of these queues that the worker serves."""
        return [name for name in names if self._serves(name)]

    def _serves(self, name: str) -> bool:
        name = str(name)  # SQLite stores anything in any column
        return bool(self._served.fullmatch(name)) and not self._refused.fullmatch(name)


def _any_of(names: Collection[str]) -> re.Pattern[str]:
    # Of no names this is a pattern that matches nothing.
    return re.compile("|".join(map(_pattern, sorted(names))) or "(?!)", re.DOTALL)


def _pattern(name: str) -> str:
    return ".*".join(map(re.escape, name.split(ANY)))
