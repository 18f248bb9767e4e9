"""How a bug gets into the product: what it stands in the place of is there, or the planting fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True)
class Plant:
    """Plants something wrong while its context is entered.

    Attributes:
        where: the names that something else stands behind then.
    """

    where: str
    make: Callable[[], AbstractContextManager[Any]]

    def __call__(self) -> AbstractContextManager[Any]:
        """Return the context."""
        return self.make()


def put(place: Any, name: str, wrong: Any) -> Plant:
    """Return what puts something wrong under a name of a module or class."""
    getattr(place, name)  # or what was renamed would be found by nobody
    return Plant(_named(place, name), lambda: patch.object(place, name, wrong))


def wrapped(place: Any, name: str, change: Callable[..., Any]) -> Plant:
    """Return what puts a function in the place of another one, which it is given as its first argument."""
    right = getattr(place, name)

    def wrong(*args: Any, **kwargs: Any) -> Any:
        return change(right, *args, **kwargs)

    return put(place, name, wrong)


def reworded(engine: Any, statement: str, old: str, new: str) -> Plant:
    """Return what changes the words of a statement of an engine class."""
    right = getattr(engine.statements, statement)
    assert old in right, f"no {old!r} in {statement}"
    wrong = engine.statements._replace(**{statement: right.replace(old, new)})
    plant = put(engine, "statements", wrong)
    return Plant(f"{plant.where}.{statement}", plant)


def together(*plants: Plant) -> Plant:
    """Return what plants all of these."""

    @contextmanager
    def plant() -> Iterator[None]:
        with ExitStack() as stack:
            for each in plants:
                stack.enter_context(each())
            yield

    return Plant(", ".join(each.where for each in plants), plant)


def _named(place: Any, name: str) -> str:
    module = getattr(place, "__module__", None)
    return f"{module}.{place.__qualname__}.{name}" if module else f"{place.__name__}.{name}"
