"""The hot statements in PostgreSQL's SQL: an array a column, so that one takes any number of rows."""

from __future__ import annotations

from collections.abc import Sequence

from django_jobs.engines.portable.claiming import COLUMNS
from django_jobs.engines.portable.statements import UNASKED, UNCLAIMED, Statements, one_more
from django_jobs.engines.rows import MAX_INTERRUPTIONS, NewJob
from django_jobs.engines.settling import AttemptRow, ErrorRow
from django_jobs.models.sound import readable_moment

# No lengths: a cast to varchar(100) would cut a longer text in silence, where storing it is an error.
_TYPES = {
    "id": "uuid",
    "job_id": "uuid",
    "token": "bigint",
    "priority": "smallint",
    "max_attempts": "smallint",
    "round": "integer",
    "number": "integer",
    "holds": "integer",
    "timeout": "double precision",
    "duration": "double precision",
    "run_after": "timestamptz",
    "started_at": "timestamptz",
    "finished_at": "timestamptz",
    "failed_at": "timestamptz",
    "lease": "timestamptz",
}


def _given(*columns: str) -> str:
    # In a subquery, so that the planner does not count the values, see `_update`.
    arrays = ", ".join(f"(SELECT %s::{_TYPES.get(column, 'text')}[])" for column in columns)
    return f"unnest({arrays}) AS given({', '.join(columns)})"


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM {_given(*columns)}"


def _end(changes: str, *columns: str) -> str:
    return _update(f"{changes}, {UNCLAIMED}", *columns, only=f"AND job.{UNASKED}")


def _update(changes: str, *columns: str, only: str = "") -> str:
    """Return an update of the jobs that are held; it locks them in the order of their ids first.

    In whatever order a join would lock them, two writers that share some could wait for each other.

    In a table of more than some pages each row is found by its key, whatever the statistics say, which may be
    older than most rows: a subquery that locks cannot be turned into a join that reads the whole table, nor a
    status in an expression into an index of which it reads all that run, or have run since somebody's old
    snapshot was taken. And of an array that it does not know the planner expects few values, so the update
    looks each up as well.
    """
    return f"""WITH held AS MATERIALIZED (
        SELECT given.* FROM (SELECT * FROM {_given(*columns, "id", "token")} ORDER BY id) AS given
        CROSS JOIN LATERAL (SELECT id FROM django_jobs_job AS job
            WHERE id = given.id AND status || '' = 'running' AND claim_token = given.token {only}
            FOR UPDATE) AS job)
    UPDATE django_jobs_job AS job SET {changes} FROM held WHERE job.id = held.id"""


UNNESTED = Statements(
    insert_job=_insert("django_jobs_job", NewJob._fields),
    insert_attempt=_insert("django_jobs_attempt", AttemptRow._fields),
    insert_error=_insert("django_jobs_joberror", ErrorRow._fields),
    start=_update("started_at = held.started_at", "started_at"),
    renew=_update("lease = held.lease", "lease"),
    release=_end(
        "status = held.status, run_after = COALESCE(held.run_after, job.run_after), reason = held.reason",
        "status",
        "run_after",
        "reason",
    ),
    settle=_end(
        f"""status = held.status, run_after = held.run_after, result_data = held.result_data,
            error = held.error, {one_more("attempts")}, reason = ''""",
        "status",
        "run_after",
        "result_data",
        "error",
    ),
    interrupt=_end(f"status = 'ready', {one_more('interruptions')}, reason = ''"),
)

# Under another name: PostgreSQL would call it after the column, and sort by it instead of reading the index.
FIRST_SCHEDULED = f"""SELECT {readable_moment("run_after", "postgresql")} AS due FROM django_jobs_job
    WHERE status = 'scheduled' ORDER BY run_after LIMIT 1"""

# Not the plain word: where the statistics are older than the ready jobs, the planner takes them for so few
# that it sorts all of them, found by another index. Of a value that it does not know it expects many, and
# walks along the one index that has them in order.
_READY = "(SELECT 'ready')"

QUEUES_WITH = """WITH RECURSIVE hop(queue) AS (
    (SELECT queue FROM django_jobs_job WHERE status = (SELECT %s::text) ORDER BY queue LIMIT 1)
    UNION ALL
    SELECT (SELECT job.queue FROM django_jobs_job AS job
            WHERE job.status = (SELECT %s::text) AND job.queue > hop.queue ORDER BY job.queue LIMIT 1)
    FROM hop WHERE hop.queue IS NOT NULL)
SELECT queue FROM hop WHERE queue IS NOT NULL"""

OUTLOOK = f"""SELECT ARRAY({QUEUES_WITH}),
    ARRAY(SELECT name::text FROM django_jobs_queue WHERE paused_at IS NOT NULL ORDER BY name),
    ({FIRST_SCHEDULED})"""

# A moment may lie beyond what a driver can read.
_DUE = readable_moment("job.run_after", "postgresql")
_CLAIMED = ", ".join(_DUE if name == "run_after" else f"job.{name}" for name in COLUMNS)


def _probe(where: str = "") -> str:
    return f"""SELECT id, priority, run_after FROM django_jobs_job
        WHERE status = {_READY} AND queue = served.queue {where}
        ORDER BY priority DESC, run_after, id LIMIT %s FOR UPDATE SKIP LOCKED"""


def _claim(first: str) -> str:
    # MATERIALIZED: were it evaluated again for each row it is joined to, each time other rows would be
    # locked and more than asked for would be claimed.
    return f"""WITH best AS MATERIALIZED (
        SELECT first.id FROM {first} ORDER BY first.priority DESC, first.run_after, first.id LIMIT %s)
    UPDATE django_jobs_job AS job SET status = 'running', worker_id = %s, claim_token = %s, lease = %s,
        started_at = CASE WHEN job.interruptions >= {MAX_INTERRUPTIONS} THEN clock_timestamp()
            ELSE job.started_at END
    FROM best WHERE job.id = best.id RETURNING {_CLAIMED}"""


# As an array, which is read once, whatever else is planned. Of queues that a worker was told of it has not
# asked whether they are paused.
_UNPAUSED = """served.queue <> ALL (ARRAY(
    SELECT name::text FROM django_jobs_queue WHERE paused_at IS NOT NULL))"""

CLAIM = _claim(f"""unnest(%s::text[]) AS served(queue)
    CROSS JOIN LATERAL ({_probe()}) AS first WHERE {_UNPAUSED}""")

# The row comparison is the very bound where the index is entered; with OR all before it would be read.
CLAIM_PAST = _claim(f"""(
    SELECT found.* FROM unnest(%s::text[], %s::smallint[], %s::smallint[]) AS served(queue, lowest, highest)
    CROSS JOIN LATERAL ({_probe("AND priority BETWEEN served.lowest AND served.highest")}) AS found
    WHERE {_UNPAUSED}
    UNION ALL
    SELECT found.* FROM unnest(%s::text[], %s::smallint[], %s::timestamptz[], %s::uuid[])
        AS served(queue, priority, run_after, id)
    CROSS JOIN LATERAL ({
    _probe('''AND priority = served.priority
        AND (django_jobs_job.run_after, django_jobs_job.id) > (served.run_after, served.id)''')
}) AS found
    WHERE {_UNPAUSED}) AS first""")

# A limit of the project's own that is lower stays; 0 is none.
BOUND_STATEMENTS = """SELECT set_config('statement_timeout', %s, false) FROM pg_settings
    WHERE name = 'statement_timeout' AND setting::bigint NOT BETWEEN 1 AND %s"""

READ_COMMITTED = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"
