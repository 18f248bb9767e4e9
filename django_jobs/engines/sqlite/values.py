"""Values as Django's SQLite backend stores them."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from django_jobs.engines.portable.values import Row, TextValues
from django_jobs.engines.rows import ClaimedJob

_ID = re.compile("[0-9a-f]{32}")


def is_id(value: object) -> bool:
    """Return whether this is an id as it is stored; here it may be anything."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


class SQLiteValues(TextValues):
    """Reads what the statements return; a column here may hold a value of any type."""

    _read: tuple[str | None, datetime] = (None, datetime.min)

    def claimed(self, row: Row, token: int) -> ClaimedJob:
        """Read a claimed job."""
        return ClaimedJob._make(
            (UUID(int=int(row[0], 16)), *row[1:4], self.due(row[4]), *row[5:], token, None)
        )

    def due(self, text: str) -> datetime:
        """Read a due time; a spoilt one is long past."""
        if text != self._read[0]:  # the jobs of a bulk share one
            self._read = text, self._due(text)
        return self._read[1]

    def _due(self, text: str) -> datetime:
        try:
            return datetime.fromisoformat(text).replace(tzinfo=self.zone)
        except (TypeError, ValueError):
            return datetime.min.replace(tzinfo=self.zone)
