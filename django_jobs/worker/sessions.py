"""Ending a runner with everything it started: it may be interrupted alone; a session is killed as a whole."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# Each round catches what forked during the one before; a fork bomb loses after a few.
_ROUNDS = 50


def kill_session(leader: int) -> None:
    """Send SIGKILL to every process of the session this pid leads, until none is left.

    The caller must not have reaped the leader yet: until then its pid cannot be another's.
    """
    for _ in range(_ROUNDS):
        members = list(_living_members(leader))
        if not members:
            return
        for pid in members:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def interrupt(leader: int) -> None:
    """Send SIGALRM to this process alone; like `kill_session`, before it is reaped."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(leader, signal.SIGALRM)


def _living_members(leader: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _belongs(entry, leader):
            yield int(entry.name)


def _belongs(entry: Path, leader: int) -> bool:
    try:
        # Behind the last parenthesis (a program's name may hold any): state, ppid, pgrp, session.
        state, _, _, session = entry.joinpath("stat").read_text().rpartition(")")[2].split()[:4]
    except OSError:
        return False
    return int(session) == leader and state not in "ZX"
