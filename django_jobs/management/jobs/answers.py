"""What a subcommand is, what it answers, and how answers are written; the one place for JSON."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone


@dataclass(frozen=True)
class Answer:
    """The same answer twice: `data` for --json, `text` for people."""

    data: Any
    text: str


class Subcommand(ABC):
    """One thing a shell may ask for; raises CommandError where it cannot be had."""

    help: ClassVar[str]

    def add_arguments(self, parser: ArgumentParser) -> None:  # noqa: B027  most take some, none has to
        """Add what this subcommand takes besides --json."""

    @abstractmethod
    def answer(self, options: Mapping[str, Any]) -> Answer:
        """Return the answer."""


def to_json(data: Any) -> str:
    """Return an answer's data as JSON that any terminal and any parser takes."""
    return json.dumps(data, indent=2)


def iso(moment: datetime | None) -> str | None:
    """Return a time for JSON."""
    return moment.isoformat() if moment else None


def clock(moment: datetime | None) -> str:
    """Return a time for people, to the second, in the current time zone."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}" if moment else "-"


def printable(text: str) -> str:
    """Return stored text without what could command a terminal; lines and tabs stay."""
    return "".join(
        each if each.isprintable() or each in "\n\t" else "\N{REPLACEMENT CHARACTER}" for each in text
    )


def one_line(text: str, *, width: int = 80) -> str:
    """Return stored text as one line of at most `width` characters."""
    line = " ".join(printable(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows under their headings, each column as wide as it needs."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    return "\n".join(line.rstrip() for line in lines)
