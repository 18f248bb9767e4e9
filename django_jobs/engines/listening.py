"""How an idle worker hears that another connection may have made jobs ready."""

from __future__ import annotations

from collections.abc import Set

# In place of a queue's name: some queue, it is not known which.
ANY_QUEUE = ""


class Listener:
    """Hears nothing, so that its worker only polls; where a database can tell more, its engine has its own.

    Made, asked and closed by the one thread whose connection it may use. What it hears is never
    the last word: a worker looks at its queues all the same, so that a lost word costs only time.
    """

    # Seconds between two looks at an empty queue, where the settings do not say.
    poll_interval = 1.0

    def fileno(self) -> int | None:
        """Return the descriptor that is readable when there may be news, None for none."""
        return None

    @property
    def next_at(self) -> float:
        """When to ask again whatever the descriptor says (CLOCK_BOOTTIME, seconds)."""
        return float("inf")

    def heard(self) -> Set[str]:
        """Return the queues that may have new jobs since the last call, ANY_QUEUE where they are not known.

        Raises:
            Exception: of whatever kind; it hears no more, and another one is needed.
        """
        return frozenset()

    @property
    def recent(self) -> Set[str]:
        """Return the queues heard of a moment ago, that may have jobs by now which were not told of."""
        return frozenset()

    def close(self) -> None:
        """Let go of what it listens with; bears being called twice."""
