"""The statements that are SQLite's alone."""

from __future__ import annotations

from functools import cache

from django_jobs.engines.portable.claiming import COLUMNS

# As an expression the due time has no declared type, for which Django's slower converter would read it.
_CLAIMED = ", ".join("run_after || ''" if name == "run_after" else name for name in COLUMNS)

FIRST_SCHEDULED = """SELECT run_after || '' FROM django_jobs_job
    WHERE status = 'scheduled' ORDER BY run_after LIMIT 1"""

READY_QUEUES = """WITH RECURSIVE hop(queue) AS (
    SELECT (SELECT queue FROM django_jobs_job WHERE status = 'ready' ORDER BY queue LIMIT 1)
    UNION ALL
    SELECT (SELECT job.queue FROM django_jobs_job AS job
            WHERE job.status = 'ready' AND job.queue > hop.queue ORDER BY job.queue LIMIT 1)
    FROM hop WHERE hop.queue IS NOT NULL)
SELECT queue FROM hop WHERE queue IS NOT NULL"""

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
