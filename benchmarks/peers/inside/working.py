"""A peer's worker: started, heard from, stopped."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from benchmarks.peers.inside.no_op import PIPE
from benchmarks.peers.inside.peer import Peer
from benchmarks.peers.inside.place import DIRECTORY

LOG = DIRECTORY / "worker.log"
START_PATIENCE, STOP_PATIENCE = 30, 10


@contextmanager
def working(peer: Peer) -> Iterator[None]:
    """Start the peer's worker; stop it at the end, and end it where it does not."""
    with LOG.open("ab") as log:
        workers = [_start(peer.worker(), log) for _ in range(peer.copies)]
    try:
        yield
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        for worker in workers:
            _wait(worker)


def _start(command: list[str], log: BinaryIO) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=DIRECTORY, stdout=log, stderr=log)


def _wait(worker: subprocess.Popen[bytes]) -> None:
    try:
        worker.wait(STOP_PATIENCE)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


class Ear:
    """Hears when the job numbered 0 begins."""

    def __init__(self) -> None:
        os.mkfifo(PIPE)
        self._pipe = os.open(PIPE, os.O_RDWR)  # also to write: the pipe stays open between two jobs

    def next_began(self) -> int:
        """Wait for the next one; return when it began (nanoseconds of the monotonic clock)."""
        if not select.select([self._pipe], [], [], START_PATIENCE)[0]:
            raise SystemExit(f"no job began within {START_PATIENCE} s; the worker's log ends: {_last_line()}")
        return int(os.read(self._pipe, 64).split()[0])


def _last_line() -> str:
    lines = [line.strip() for line in LOG.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it is empty"
