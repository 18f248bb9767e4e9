"""README and docs as the tests read them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md"))]
# Those that only whoever works on the code reads.
OURS = ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
MANAGE = re.compile(r"python\S* manage\.py ([^\n#|&;\"\]]+)")


class Fence(NamedTuple):
    """A block of code in a page."""

    language: str
    text: str

    @property
    def file(self) -> str:
        """The file that the first line of the block names; empty where it names none."""
        found = re.match(r"# ([\w./-]+)(,.*)?\n", self.text)
        return found[1] if found else ""


def page(name: str) -> str:
    """Return the text of a page."""
    return (ROOT / name).read_text()


def fences(name: str, *languages: str) -> Iterator[Fence]:
    """Yield the blocks of code of a page, those in one of these languages where any are named."""
    for language, text in FENCE.findall(page(name)):
        if not languages or language in languages:
            yield Fence(language, text)


def blocks(*languages: str) -> list[tuple[str, Fence]]:
    """Return each such block of all pages with the name of its page."""
    return [(name, fence) for name in PAGES for fence in fences(name, *languages)]


def rows(name: str, head: str) -> dict[str, list[str]]:
    """Return the rows of the table with this first heading, by the code in their first cell."""
    table = page(name).split(f"| {head} |", 1)[1].split("\n\n", 1)[0]
    cells = [re.split(r"\s*(?<!\\)\|\s*", line)[1:-1] for line in table.splitlines()[2:]]
    return {row[0].strip("`").split()[0]: row for row in cells}


def commands(text: str) -> list[list[str]]:
    """Return the words of each `python manage.py …` in a text."""
    return [shlex.split(found) for found in MANAGE.findall(text)]
