"""The statements that are MariaDB's and MySQL's alone."""

from __future__ import annotations

from django_jobs.engines.portable.claiming import COLUMNS
from django_jobs.models.sound import readable_moment

READ_COMMITTED_NEXT = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"

# A limit of the project's own that is lower stays; 0 is none.
BOUND_STATEMENTS = """SET SESSION max_statement_time =
    LEAST(%s, IF(@@max_statement_time > 0, @@max_statement_time, %s))"""
BOUND_SELECTS = "SET SESSION max_execution_time = %s"
BOUND_LOCK_WAITS = "SET SESSION innodb_lock_wait_timeout = %s"

# In all the index by name: with stale statistics another one is chosen, and every ready row sorted.
FIRST_QUEUE = """SELECT queue FROM django_jobs_job FORCE INDEX (django_jobs_claim)
    WHERE status = %s ORDER BY queue LIMIT 1"""
NEXT_QUEUE = """SELECT queue FROM django_jobs_job FORCE INDEX (django_jobs_claim)
    WHERE status = %s AND queue > %s ORDER BY queue LIMIT 1"""

# A moment may lie beyond what a datetime holds.
_DUE = readable_moment("run_after", "mysql")
_CLAIMED = ", ".join(_DUE if name == "run_after" else name for name in COLUMNS)

# Not as a column that is chosen: by that the rows would be sorted, and not taken along the index.
FIRST_SCHEDULED = f"""SELECT {_DUE} FROM django_jobs_job FORCE INDEX (django_jobs_due)
    WHERE status = 'scheduled' ORDER BY run_after LIMIT 1"""


def _probe(where: str = "") -> str:
    return f"""SELECT {_CLAIMED} FROM django_jobs_job FORCE INDEX (django_jobs_claim)
        WHERE status = 'ready' AND queue = %s {where}
        ORDER BY priority DESC, run_after, id LIMIT %s FOR UPDATE SKIP LOCKED"""


PROBE = _probe()
# Not a comparison of rows, for which no index is entered in the middle.
PROBE_PAST = _probe("AND priority = %s AND (run_after > %s OR (run_after = %s AND id > %s))")


def claim(jobs: int) -> str:
    """Return the marking of so many jobs, which the claim has locked."""
    return f"""UPDATE django_jobs_job SET status = 'running', worker_id = %s, claim_token = %s, lease = %s
        WHERE id IN ({", ".join(["%s"] * jobs)})"""
