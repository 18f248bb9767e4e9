"""Enqueues jobs and keeps on record what became of that: acknowledged, rolled back, or nobody knows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import Error, connection, transaction

from django_jobs import drafts
from django_jobs.engines.rows import NewJob
from tests.faults.ledger import Ledger

Draft = Callable[[], object]


class RolledBack(Exception):
    """Ends a transaction on purpose."""


class Enqueuer:
    """Stores jobs and writes down of each what its caller was told."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def store(self, draft: Draft, *, roll_back: bool = False) -> str:
        """Enqueue what `draft` enqueues; return the word that is on record of each job.

        Args:
            draft: called outside of any transaction, but where it is to be rolled back.
        """
        with _asked() as rows:
            try:
                word = _roll_back(draft) if roll_back else _acknowledge(draft)
            except Error:
                # Its reply may have been lost on the way, and the commit be done.
                word = "UNKNOWN"
                connection.close()
        for row in rows:
            self._ledger.write(word, row.id)
        return word


@contextmanager
def _asked() -> Iterator[list[NewJob]]:
    """Take note of what is to be stored: who gets an error for it is told no ids."""
    rows: list[NewJob] = []
    really = drafts.rows_of

    def rows_of(*args: Any, **options: Any) -> list[NewJob]:
        made = really(*args, **options)
        rows.extend(made)
        return made

    with patch.object(drafts, "rows_of", rows_of):
        yield rows


def _acknowledge(draft: Draft) -> str:
    draft()
    return "ENQUEUED"


def _roll_back(draft: Draft) -> str:
    try:
        with transaction.atomic():
            draft()
            raise RolledBack
    except RolledBack:
        return "ROLLED-BACK"


def batches(count: int, chance: random.Random, *, most: int = 50) -> Iterator[int]:
    """Yield sizes of batches of jobs, together so many."""
    while count > 0:
        size = min(count, chance.randint(1, most))
        yield size
        count -= size
