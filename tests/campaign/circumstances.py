"""Under what a row was run: the code, the machine, the day."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from tests.campaign.rows import ROOT


def digest(file: str, *, root: Path = ROOT) -> str:
    """Return what stands for the code that a row puts to the test: all of django_jobs/ and the test's file.

    What tests share is not in it: a new job of theirs would make hours of results worthless.
    """
    whole = hashlib.sha256()
    for path in [*sorted((root / "django_jobs").rglob("*.py")), root / file]:
        whole.update(f"{path.relative_to(root)}\0".encode())
        whole.update(path.read_bytes() if path.exists() else b"")  # a test may be no more
    return whole.hexdigest()[:12]


def commit() -> str:
    """Return the commit, with a + where something was changed since; empty where there is no repository."""
    described = _git("describe", "--always", "--exclude=*", "--abbrev=10")
    changed = _git("status", "--porcelain", "--", "django_jobs", "tests")
    return described + "+" * bool(changed)


def _git(*words: str) -> str:
    ended = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return ended.stdout.strip() if ended.returncode == 0 else ""


@cache
def machine() -> str:
    """Return what it can do; not what it is called."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {gigabytes:.0f} GB, {platform.system()} {platform.machine()}"


def today() -> str:
    """Return the day, UTC."""
    return datetime.now(UTC).date().isoformat()
