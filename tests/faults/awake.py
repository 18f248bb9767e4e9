"""Keeps on record that this machine lets its processes run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.ledger import Ledger

EVERY = 0.1


@contextmanager
def awake(ledger: Ledger) -> Iterator[None]:
    """Write AWAKE again and again while the block lasts: where it is late, others were as well."""
    over = threading.Event()

    def write() -> None:
        while not over.wait(EVERY):
            ledger.write("AWAKE")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
