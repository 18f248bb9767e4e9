"""The photographs that come with the project, and their table of sources and licences."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

PHOTOS = Path(__file__).resolve().parent.parent / "photos"
# Cut off in the middle on purpose: no job can make a thumbnail of it.
BROKEN = "truncated.jpg"
# So large that decoding it would take the machine's memory: no job should try.
BOMB = "bomb.png"


class Entry(NamedTuple):
    """A line of the table SOURCES.md."""

    name: str
    title: str
    author: str
    terms: str

    @property
    def path(self) -> Path:
        """Where the photograph lies."""
        return PHOTOS / self.name


def catalogue() -> dict[str, Entry]:
    """Return the photographs of SOURCES.md by their names."""
    table = [line for line in (PHOTOS / "SOURCES.md").read_text("utf-8").splitlines() if line.startswith("|")]
    entries = [Entry(*(cell.strip() for cell in line.strip("|").split("|"))) for line in table[2:]]
    return {entry.name: entry for entry in entries}
