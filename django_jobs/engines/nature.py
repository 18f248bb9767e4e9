"""What a worker has to know of a database besides the verbs: each vendor's engine says it of itself."""

from __future__ import annotations

from typing import ClassVar, NamedTuple


class Removal(NamedTuple):
    """How old rows are removed so that nobody who works beside it has to wait.

    Attributes:
        most: how many are removed in one transaction. Twice what one of a worker ends: a busy one has a
            turn for removing between two of those.
        seconds: how long such a transaction may take; where it takes longer, the next one removes fewer.
        rests: how many times as long as it took nothing is removed after it. Neither holds for a worker that
            ends more than it could remove so.
    """

    most: int
    seconds: float
    rests: int


class Nature:
    """How the databases are that are servers of their own."""

    # Whether the database's clock is that of this host, and is set when that one is.
    on_hosts_clock: ClassVar[bool] = False
    # Whether a claim can begin where the one before it left off, see `claim`'s `past`.
    claims_past: ClassVar[bool] = False
    # Nobody waits for its locks; it takes a share of the processors and the disk.
    removal: ClassVar[Removal] = Removal(most=400, seconds=0.05, rests=5)
