"""The hot statements in SQLite's SQL."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from django_jobs.engines.portable.claiming import COLUMNS
from django_jobs.engines.rows import NewJob
from django_jobs.engines.settling import AttemptRow, ErrorRow


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"


INSERT_JOB = _insert("django_jobs_job", NewJob._fields)
INSERT_ATTEMPT = _insert("django_jobs_attempt", AttemptRow._fields)
INSERT_ERROR = _insert("django_jobs_joberror", ErrorRow._fields)

_HOLDING = "WHERE id = %s AND status = 'running' AND claim_token = %s"
_UNCLAIMED = "worker_id = '', started_at = NULL, claim_token = NULL, lease = NULL"

START = f"UPDATE django_jobs_job SET started_at = %s {_HOLDING}"
RENEW = f"UPDATE django_jobs_job SET lease = %s {_HOLDING}"
RELEASE = f"""UPDATE django_jobs_job
    SET status = %s, run_after = COALESCE(%s, run_after), reason = %s, {_UNCLAIMED} {_HOLDING}"""
SETTLE = f"""UPDATE django_jobs_job
    SET status = %s, run_after = %s, result_data = %s, error = %s, attempts = attempts + 1, reason = '',
        {_UNCLAIMED} {_HOLDING}"""
INTERRUPT = f"""UPDATE django_jobs_job
    SET status = 'ready', interruptions = interruptions + 1, reason = '', {_UNCLAIMED} {_HOLDING}"""

# As an expression the due time has no declared type, for which Django's slower converter would read it.
_CLAIMED = ", ".join("run_after || ''" if name == "run_after" else name for name in COLUMNS)

FIRST_SCHEDULED = """SELECT run_after || '' FROM django_jobs_job
    WHERE status = 'scheduled' ORDER BY run_after LIMIT 1"""

_PROBE = """SELECT * FROM (SELECT id, priority, run_after FROM django_jobs_job
    WHERE status = 'ready' AND queue = %s ORDER BY priority DESC, run_after, id LIMIT %s)"""


@cache
def claim(queues: int) -> str:
    """Return the claim over so many queues, each probed with its own LIMIT along the claim index."""
    best = _PROBE
    if queues > 1:
        probes = " UNION ALL ".join([_PROBE] * queues)
        best = f"SELECT * FROM ({probes}) ORDER BY priority DESC, run_after, id LIMIT %s"
    return f"""UPDATE django_jobs_job
        SET status = 'running', worker_id = %s, claim_token = %s, lease = %s
        WHERE id IN (SELECT id FROM ({best})) RETURNING {_CLAIMED}"""
