"""The hot statements, a row at a time; they end with the fence they are written under."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django_jobs.engines.rows import NewJob
from django_jobs.engines.settling import AttemptRow, ErrorRow
from django_jobs.models.sound import LARGEST


class Statements(NamedTuple):
    """What the hot verbs send; the rows that go with each are those of `Values`."""

    insert_job: str
    insert_attempt: str
    insert_error: str
    start: str
    renew: str
    release: str
    settle: str
    interrupt: str


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"


def one_more(column: str) -> str:
    """Return the counting up of a column, as far as it goes: a spoilt row must not fail an ack."""
    return f"{column} = CASE WHEN {column} < {LARGEST} THEN {column} + 1 ELSE {LARGEST} END"


_HOLDING = "WHERE id = %s AND status = 'running' AND claim_token = %s"
# What ends a claim passes by a job that somebody wants cancelled, as if it were lost: where that one goes is
# decided row by row, in `settling`.
UNASKED = "cancel_requested = 0"
_ENDING = f"{_HOLDING} AND {UNASKED}"
UNCLAIMED = "worker_id = '', started_at = NULL, claim_token = NULL, lease = NULL"

PAUSED = "SELECT name FROM django_jobs_queue WHERE paused_at IS NOT NULL"

ROW_BY_ROW = Statements(
    insert_job=_insert("django_jobs_job", NewJob._fields),
    insert_attempt=_insert("django_jobs_attempt", AttemptRow._fields),
    insert_error=_insert("django_jobs_joberror", ErrorRow._fields),
    start=f"UPDATE django_jobs_job SET started_at = %s {_HOLDING}",
    renew=f"UPDATE django_jobs_job SET lease = %s {_HOLDING}",
    release=f"""UPDATE django_jobs_job
        SET status = %s, run_after = COALESCE(%s, run_after), reason = %s, {UNCLAIMED} {_ENDING}""",
    settle=f"""UPDATE django_jobs_job
        SET status = %s, run_after = %s, result_data = %s, error = %s, {one_more("attempts")}, reason = '',
            {UNCLAIMED} {_ENDING}""",
    interrupt=f"""UPDATE django_jobs_job
        SET status = 'ready', {one_more("interruptions")}, reason = '', {UNCLAIMED} {_ENDING}""",
)
