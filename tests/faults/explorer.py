"""Every state that one job, or two, can come into, whoever does what when."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from django_jobs.states import FINAL, Status
from tests.faults.machine import ACTIONS, BY_THEMSELVES, Action, Row, after, may

# Two jobs by their rows' numbers, the lower one first: which of them is which makes no difference.
World = tuple[int, int]


class Edge(NamedTuple):
    """A step from one row to another; `makes` is the second job that a replay makes."""

    to: int
    by_itself: bool
    makes: int | None = None


def all_rows(actions: Collection[Action] = ACTIONS) -> list[Row | None]:
    """Return every row that can come to be, beginning with none; breadth-first."""
    rows: dict[Row | None, None] = {None: None}
    frontier: list[Row | None] = [None]
    while frontier:
        steps = (after(row, action).row for row in frontier for action in actions if may(row, action))
        frontier = [row for row in dict.fromkeys(steps) if row not in rows]
        rows.update(dict.fromkeys(frontier))
    return list(rows)


class Worlds:
    """Every pair of jobs that can come to be, over all interleavings of everybody's steps.

    A step changes one job, but for a replay, which makes another one and needs a free place for it. So what a
    row leads to is asked once a row.

    Args:
        without: verbs that nobody does.
    """

    def __init__(self, *, without: Collection[str] = ()) -> None:
        actions = [action for action in ACTIONS if action.verb not in without]
        self._rows = all_rows(actions)
        self._number = {row: number for number, row in enumerate(self._rows)}
        self._edges = [list(dict.fromkeys(self._steps(row, actions))) for row in self._rows]
        self._came_from: dict[World, list[World]] = {}
        self.reached = self._explore()

    def __len__(self) -> int:
        return len(self.reached)

    def stuck(self) -> list[tuple[Row | None, Row | None]]:
        """Return the pairs from which not all jobs can become final unless a person helps."""
        frontier = {world for world in self.reached if all(map(_is_over, self._pair(world)))}
        saved = set(frontier)
        while frontier:
            frontier = {one for world in frontier for one in self._came_from.get(world, ())} - saved
            saved |= frontier
        return [self._pair(world) for world in sorted(self.reached - saved)]

    def _steps(self, row: Row | None, actions: list[Action]) -> Iterator[Edge]:
        for action in actions:
            if may(row, action) and (step := after(row, action)).row != row:
                makes = self._number[Row(Status.READY)] if action.verb == "replay" else None
                yield Edge(self._number[step.row], action.verb in BY_THEMSELVES, makes)

    def _explore(self) -> set[World]:
        reached, frontier = {(0, 0)}, [(0, 0)]
        while frontier:
            ahead: list[World] = []
            for world in frontier:
                for to, by_itself in self._from(*world):
                    if by_itself:
                        self._came_from.setdefault(to, []).append(world)
                    if to not in reached:
                        reached.add(to)
                        ahead.append(to)
            frontier = ahead
        return reached

    def _from(self, one: int, other: int) -> Iterator[tuple[World, bool]]:
        for moving, staying in ((one, other), (other, one)):
            for to, by_itself, makes in self._edges[moving]:
                if makes is None:
                    yield ((to, staying) if to < staying else (staying, to)), by_itself
                elif not staying:  # the free place
                    yield (min(to, makes), max(to, makes)), by_itself

    def _pair(self, world: World) -> tuple[Row | None, Row | None]:
        one, other = world
        return self._rows[one], self._rows[other]


def _is_over(row: Row | None) -> bool:
    return row is None or row.status in FINAL
