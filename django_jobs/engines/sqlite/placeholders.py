"""The `%s` of a statement as SQLite's `?`, found once and not at each execution."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from django.db.backends.sqlite3.base import SQLiteCursorWrapper
from django.db.backends.utils import CursorWrapper


def converting_once(cursor: CursorWrapper) -> CursorWrapper:
    """Return the cursor, which from now on knows the statements that were converted before.

    To look for a statement's placeholders takes Django longer than SQLite takes to insert a row. Whoever
    watches statements sees them as ever: all else of the cursor is Django's, or of who has wrapped it.
    """
    own = getattr(cursor, "cursor", None)
    if isinstance(own, SQLiteCursorWrapper):
        own.convert_query = _converted  # type: ignore[method-assign]
    return cursor


@lru_cache(maxsize=128)
def _converted(query: str, *, param_names: None = None) -> str:
    # It makes no use of its cursor. Names are what a dict of values has, and ours are tuples.
    return str(SQLiteCursorWrapper.convert_query(cast(Any, None), query, param_names=param_names))
