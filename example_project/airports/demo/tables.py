"""The demo's tables, as plain text: they are read on any terminal, and in a log file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from example_project.airports.demo import tally
from example_project.airports.demo.stopping import Ending


def summary(lines: Sequence[tally.Line]) -> str:
    """Return the summary by function."""
    return _columns(
        ("what came of the jobs", "done", "retried", "dead", "time"),
        [(each.function, each.done, each.retried, each.dead, f"{each.seconds:.1f} s") for each in lines],
    )


def endings(lines: Sequence[Ending]) -> str:
    """Return how the jobs that hung have ended."""
    return _columns(
        ("code that hangs", "ran", "attempt", "job"),
        [(each.code, _seconds(each.seconds), each.outcome, each.status) for each in lines],
    )


def _seconds(ran: float | None) -> str:
    return "none" if ran is None else f"{ran:.2f} s"


def _columns(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows under their headings, the first column to the left, the others to the right."""
    cells = [head, *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in cells
    ]
    return "\n".join(["", lines[0], "-" * len(lines[0]), *lines[1:]])
