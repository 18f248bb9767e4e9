"""What the head of a peer's script says of it, in the form of Python's inline metadata (PEP 723).

So the peer is known before it is installed, and without importing it: its packages, the first of which is the
peer at the version that is measured, the databases it can use, and the settings it is measured with.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent / "scripts"
OURS = "django-orm-jobs"
BLOCK = re.compile(r"(?m)^# /// script$\s(?P<lines>(^#(| .*)$\s)+)^# ///$")


@dataclass(frozen=True, eq=False)
class Header:
    """One peer, as its script introduces it.

    Attributes:
        script: the module in `benchmarks/peers/scripts/`.
        peer: its name on PyPI.
        version: the version that is measured; empty for our own, which is not installed.
        packages: what is installed, each with its version.
        databases: those of "sqlite" and "postgresql" that it can use.
        settings: in words, by name: "doc" is the documented command, "best" the fastest that was found.
    """

    script: str
    peer: str
    version: str
    packages: tuple[str, ...]
    databases: tuple[str, ...]
    settings: dict[str, str]


def read(script: str, text: str) -> Header:
    """Return what the text of a script says at its head.

    Raises:
        ValueError: it has no such head, or not one alone.
    """
    blocks = list(BLOCK.finditer(text))
    if len(blocks) != 1:
        raise ValueError(f"{script}.py: expected one block '# /// script', found {len(blocks)}")
    lines = blocks[0]["lines"].splitlines()
    said = tomllib.loads("\n".join(line.removeprefix("#").removeprefix(" ") for line in lines))
    packages = tuple(said.get("dependencies", ()))
    peer, _, version = packages[0].partition("==") if packages else (OURS, "", "")
    own = said["tool"]["peer"]
    return Header(
        script, peer.partition("[")[0], version, packages, tuple(own["databases"]), dict(own["settings"])
    )


def all_peers() -> list[Header]:
    """Return every script's, ours first, the others in the order of their names."""
    files = sorted(each for each in SCRIPTS.glob("*.py") if each.stem != "__init__")
    headers = [read(each.stem, each.read_text()) for each in files]
    return sorted(headers, key=lambda header: (header.peer != OURS, header.peer))
