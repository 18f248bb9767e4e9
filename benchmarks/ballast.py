"""Jobs by the million, each million by one statement that any database takes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection

from django_jobs.engines import engine_for

SERVED = [f"served {number}" for number in range(5)]
ELSEWHERE, PAUSED = "elsewhere", "paused"
MILLION = 1_000_000

_ID = {
    "postgresql": "CAST(lpad(to_hex({n}), 32, '0') AS uuid)",
    "mysql": "lpad(hex({n}), 32, '0')",
    "sqlite": "printf('%%032x', {n})",
}
_ANALYZE = {
    "postgresql": "ANALYZE django_jobs_job",
    "mysql": "ANALYZE TABLE django_jobs_job",
    "sqlite": "ANALYZE django_jobs_job",
}
_TIDY = {"sqlite": ["PRAGMA wal_checkpoint(TRUNCATE)"], "postgresql": ["CHECKPOINT"]}
_DIGIT = " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10))
_NUMBER = " + ".join(f"{10**place} * t{place}.d" for place in range(6))
_TABLES = " CROSS JOIN ".join(f"digit AS t{place}" for place in range(6))
# In the order of their ids, as jobs come: in another one each old job lies on a page of its own.
# A percent sign is doubled for the driver, a brace for format().
_LOAD = """INSERT INTO django_jobs_job
    (id, function, queue, status, priority, run_after, args, max_attempts, timeout)
    WITH digit AS ({digit}), job AS (SELECT {number} AS n FROM {tables})
    SELECT {id}, 'benchmarks.project.jobs.no_op', CASE n %% {queues} {names} END, '{status}', n %% 7, %s,
        '{{"args": [1], "kwargs": {{}}}}', 3, 300
    FROM job WHERE n < {rows} ORDER BY n"""


def load_served() -> None:
    """Load what the worker serves."""
    _load(SERVED, "ready", 10_000, first=0)


def load_the_rest() -> None:
    """Load what a claim must not see, and pause one of the queues."""
    load_finished_and_scheduled(SERVED)
    _load([ELSEWHERE], "ready", MILLION, first=3 * MILLION)
    _load([PAUSED], "ready", MILLION, first=4 * MILLION)
    engine: Any = engine_for("default")
    engine.pause([PAUSED], now=engine.read_clock())
    tidy()


def load_finished_and_scheduled(queues: list[str], *, rows: int = MILLION) -> None:
    """Load so many of each."""
    _load(queues, "completed", rows, first=1 * MILLION)
    _load(queues, "scheduled", rows, first=2 * MILLION)


def load_every_status(jobs: int) -> None:
    """Load so many jobs of five queues: most are completed, a tenth is dead, and as many are to come."""
    shares = {"completed": 7, "dead": 1, "ready": 1, "scheduled": 1}
    for number, (status, share) in enumerate(shares.items(), start=1):
        for part in range(0, jobs * share // 10, MILLION):
            rows = min(jobs * share // 10 - part, MILLION)
            _load(SERVED, status, rows, first=10 * number * MILLION + part)


def analyze() -> None:
    """Have the database look at what there is."""
    ask(_ANALYZE[connection.vendor])


def tidy() -> None:
    """Write what a load has left to be written.

    It would slow down whoever comes next, and no worker ever loads so much.
    """
    for statement in _TIDY.get(connection.vendor, ()):
        ask(statement)
    os.sync()


def ask(statement: str, values: Sequence[object] | None = None) -> None:
    """Execute a statement, whatever it answers."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        if cursor.description:
            cursor.fetchall()


def _load(queues: list[str], status: str, rows: int, *, first: int) -> None:
    later = timedelta(days=1 if status == "scheduled" else -1)
    due = connection.ops.adapt_datetimefield_value(engine_for("default").read_clock() + later)
    sql = _LOAD.format(
        digit=_DIGIT,
        number=_NUMBER,
        tables=_TABLES,
        id=_ID[connection.vendor].format(n=f"{first} + n"),
        queues=len(queues),
        names=" ".join(f"WHEN {number} THEN '{queue}'" for number, queue in enumerate(queues)),
        status=status,
        rows=rows,
    )
    ask(sql, [due])
