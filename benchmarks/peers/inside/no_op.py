"""The job that every peer runs: it does nothing, and the one numbered 0 tells when it began."""

from __future__ import annotations

import os
import time

from benchmarks.peers.inside.place import DIRECTORY

# A pipe with a name: whoever waits for the word needs no polling, which would disturb what is measured.
PIPE = DIRECTORY / "began"


def no_op(number: int) -> None:
    """Do nothing; tell when, if it is the first."""
    if number == 0:
        now = time.monotonic_ns()  # the same clock in all processes of a host
        pipe = os.open(PIPE, os.O_WRONLY)
        os.write(pipe, b"%d\n" % now)
        os.close(pipe)
