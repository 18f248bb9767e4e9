"""An environment for each peer under `build/peers/`, made again for other packages or another Python."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.bench import ROOT
from benchmarks.peers.header import Header

VENVS = ROOT / "build" / "peers"
LISTED = "installed.txt"  # in the environment, written when all of it was installed
PATIENCE = 900


class NotInstalled(Exception):
    """A peer could not be installed; says pip's last line."""


def python_of(header: Header) -> Path:
    """Return the Python that has this peer's packages; install them where they are not there yet.

    Raises:
        NotInstalled: pip did not manage.
    """
    if not header.packages:
        return Path(sys.executable)
    home = VENVS / header.script
    listed = home / LISTED
    # Some need a later Python than ours does: whoever takes one for them must not meet the old environment.
    wanted = "\n".join([platform.python_version(), *header.packages])
    if not listed.is_file() or listed.read_text() != wanted:
        shutil.rmtree(home, ignore_errors=True)
        _install(home, header.packages)
        listed.write_text(wanted)
    return home / "bin" / "python"


def _install(home: Path, packages: tuple[str, ...]) -> None:
    commands = [
        [sys.executable, "-m", "venv", str(home)],
        [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages],
    ]
    for command in commands:
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            raise NotInstalled(f"not installed within {PATIENCE} s") from None
        if ended.returncode:
            raise NotInstalled(last_line(ended.stderr) or last_line(ended.stdout))


def last_line(text: str) -> str:
    """Return the last line that says something, which is where programs name their error."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
