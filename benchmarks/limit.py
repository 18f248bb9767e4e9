"""What this database can do at most: `python -m benchmarks.limit [sqlite|postgresql|mariadb]`.

One process, the same driver, a Django cursor and the app's own tables with their indexes: claim 100, write
100 attempts, complete 100, commit; and again. No socket, no runner, no fence, no counter. What a worker
drains is told as a share of this, of the same minute.
"""

from __future__ import annotations

import argparse
from typing import Any

from benchmarks.bench import DATABASES, fresh_project, machine
from benchmarks.figures import Figure, tell, timed

BATCH = 100
_CLAIM = {
    "sqlite": """UPDATE django_jobs_job
        SET status = 'running', claim_token = %s, worker_id = 'limit', lease = %s
        WHERE id IN (SELECT id FROM django_jobs_job WHERE status = 'ready' AND queue = 'default'
            ORDER BY priority DESC, run_after, id LIMIT %s) RETURNING id, args""",
    "postgresql": """WITH chosen AS MATERIALIZED (SELECT id FROM django_jobs_job
            WHERE status = 'ready' AND queue = 'default'
            ORDER BY priority DESC, run_after, id LIMIT %s FOR UPDATE SKIP LOCKED)
        UPDATE django_jobs_job AS job
        SET status = 'running', claim_token = %s, worker_id = 'limit', lease = %s
        FROM chosen WHERE job.id = chosen.id RETURNING job.id, job.args""",
}
_PROBE = """SELECT id, args FROM django_jobs_job WHERE status = 'ready' AND queue = 'default'
    ORDER BY priority DESC, run_after, id LIMIT %s FOR UPDATE SKIP LOCKED"""
_TAKE = """UPDATE django_jobs_job SET status = 'running', claim_token = %s, worker_id = 'limit', lease = %s
    WHERE id IN ({})"""
_ATTEMPTS = """INSERT INTO django_jobs_attempt
    (job_id, token, number, round, outcome, worker_id, started_at, finished_at, log) VALUES {}"""
_COMPLETE = "UPDATE django_jobs_job SET status = 'completed', run_after = %s, worker_id = '' WHERE id IN ({})"


def drain(jobs: int) -> None:
    """Take so many jobs through."""
    from django.db import connection, transaction
    from django.utils import timezone

    done = 0
    with connection.cursor() as cursor:
        while done < jobs:
            now = connection.ops.adapt_datetimefield_value(timezone.now())
            with transaction.atomic():
                taken = _claim(cursor, connection.vendor, done + 1, now)
                _finish(cursor, taken, done + 1, now)
            done += len(taken)


def _claim(cursor: Any, vendor: str, token: int, now: Any) -> list[Any]:
    if vendor == "mysql":
        cursor.execute(_PROBE, [BATCH])
        taken = [row[0] for row in cursor.fetchall()]
        cursor.execute(_TAKE.format(_marks(len(taken))), [token, now, *taken])
        return taken
    cursor.execute(_CLAIM[vendor], [token, now, BATCH] if vendor == "sqlite" else [BATCH, token, now])
    return [row[0] for row in cursor.fetchall()]


def _finish(cursor: Any, taken: list[Any], token: int, now: Any) -> None:
    row = "(%s, %s, 1, 1, 'completed', 'limit', %s, %s, '')"
    values = [value for job in taken for value in (job, token, now, now)]
    cursor.execute(_ATTEMPTS.format(", ".join([row] * len(taken))), values)
    cursor.execute(_COMPLETE.format(_marks(len(taken))), [now, *taken])


def _marks(count: int) -> str:
    return ", ".join(["%s"] * count)


def main() -> None:
    """Measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES, default="sqlite")
    parser.add_argument("--jobs", type=int, default=10_000)
    given = parser.parse_args()
    with fresh_project(given.database):
        from benchmarks.project.jobs import no_op

        print(machine())
        no_op.enqueue_many([(number,) for number in range(given.jobs)])
        took, busy = timed(lambda: drain(given.jobs))
    name = f"the limit, {given.jobs:,} jobs"
    tell(
        Figure(name, given.jobs / took, "/s"),
        Figure(f"{name}, processor time", busy / given.jobs * 1e6, "µs a job"),
    )


if __name__ == "__main__":
    main()
