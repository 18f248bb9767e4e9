"""The statements that are SQLite's alone."""

from __future__ import annotations

from functools import cache

from django_jobs.engines.portable.claiming import COLUMNS
from django_jobs.models.sound import EARLIEST, IS_ID, IS_MOMENT

# As an expression the due time has no declared type, for which Django's slower converter would read it.
_CLAIMED = ", ".join("run_after || ''" if name == "run_after" else name for name in COLUMNS)

FIRST_SCHEDULED = """SELECT run_after || '' FROM django_jobs_job
    WHERE status = 'scheduled' ORDER BY run_after LIMIT 1"""

LEASES = """SELECT claim_token, lease || '' FROM django_jobs_job
    WHERE status = 'running' AND typeof(claim_token) = 'integer' AND lease IS NOT NULL"""

QUEUES_WITH = """WITH RECURSIVE hop(queue) AS (
    SELECT (SELECT queue FROM django_jobs_job WHERE status = %s ORDER BY queue LIMIT 1)
    UNION ALL
    SELECT (SELECT job.queue FROM django_jobs_job AS job
            WHERE job.status = %s AND job.queue > hop.queue ORDER BY job.queue LIMIT 1)
    FROM hop WHERE hop.queue IS NOT NULL)
SELECT queue FROM hop WHERE queue IS NOT NULL"""

# In place of what stands there; the row of an id that is none is known by its number alone.
UNNAMED = f"SELECT rowid FROM django_jobs_job WHERE {{}} AND NOT {IS_ID.format('id')}"
NAME = "UPDATE django_jobs_job SET id = %s WHERE rowid = %s"
# Such jobs are due. What sorts between the moments of a life is too, in its time: no table is read for it.
# In one statement for both ends of the index all that is scheduled would be.
MEND_DUE = tuple(
    f"""UPDATE django_jobs_job SET run_after = '{EARLIEST}'
        WHERE status = 'scheduled' AND run_after {beyond} AND NOT {IS_MOMENT.format("run_after")}"""
    for beyond in (f"< '{EARLIEST}'", "> date('now', '+100 years')")
)
# One that is written in another way than Django does would never be found by its moment.
_IS_LEASE = f"""({IS_MOMENT.format("lease")} AND length(lease) IN (19, 26) AND lease NOT GLOB '*.000000')"""
_ENDLESS = f"status = 'running' AND NOT (typeof(claim_token) = 'integer' AND {_IS_LEASE})"
ENDLESS = f"SELECT 1 FROM django_jobs_job WHERE {_ENDLESS} LIMIT 1"
MEND_CLAIMS = f"""UPDATE django_jobs_job SET
        lease = CASE WHEN {_IS_LEASE} THEN lease ELSE '{EARLIEST}' END,
        claim_token = CASE typeof(claim_token) WHEN 'integer' THEN claim_token ELSE random() >> 1 END
    WHERE {_ENDLESS}"""

CLAIMED = f"""SELECT {_CLAIMED} FROM django_jobs_job WHERE status = 'running' AND claim_token = %s"""

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
