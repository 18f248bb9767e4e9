"""The statements that are MariaDB's and MySQL's alone."""

from __future__ import annotations

from django_jobs.engines.portable.claiming import COLUMNS

READ_COMMITTED_NEXT = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"

# A limit of the project's own that is lower stays; 0 is none.
BOUND_STATEMENTS = """SET SESSION max_statement_time =
    LEAST(%s, IF(@@max_statement_time > 0, @@max_statement_time, %s))"""
BOUND_SELECTS = "SET SESSION max_execution_time = %s"
BOUND_LOCK_WAITS = "SET SESSION innodb_lock_wait_timeout = %s"

# In both the index by name: with stale statistics another one is chosen, and every ready row sorted.
NEXT_QUEUE = """SELECT queue FROM django_jobs_job FORCE INDEX (django_jobs_claim)
    WHERE status = 'ready' AND queue > %s ORDER BY queue LIMIT 1"""

PROBE = f"""SELECT {", ".join(COLUMNS)} FROM django_jobs_job FORCE INDEX (django_jobs_claim)
    WHERE status = 'ready' AND queue = %s
    ORDER BY priority DESC, run_after, id LIMIT %s FOR UPDATE SKIP LOCKED"""


def claim(jobs: int) -> str:
    """Return the marking of so many jobs, which the claim has locked."""
    return f"""UPDATE django_jobs_job SET status = 'running', worker_id = %s, claim_token = %s, lease = %s
        WHERE id IN ({", ".join(["%s"] * jobs)})"""
