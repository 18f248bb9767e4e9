"""What an idle worker costs: `python -m benchmarks.idle [sqlite|postgresql|mariadb]`.

Processor time of parent, nursery and runners together, and what they ask the database, in one minute
without a job. The statements are counted by the worker itself, in a file; transactions by PostgreSQL, for
the whole database: its own housekeeping is among them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from benchmarks.bench import DATABASES, family, fresh_project, machine, serving
from benchmarks.figures import Figure, tell

_TRANSACTIONS = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
# PostgreSQL counts the transactions of a session that has fallen silent up to ten seconds later (seconds).
SETTLES = 12
TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """Return the time a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def used(pid: int) -> float:
    """Return what a worker and its children have used so far (seconds)."""
    return sum(processor_seconds(each) for each in family(pid))


def transactions() -> int:
    """Return how many transactions PostgreSQL has ended in this database; 0 where nobody counts them."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_TRANSACTIONS)
        return int(cursor.fetchone()[0])


def measure(seconds: float, count: Path) -> tuple[float, int, int]:
    """Return an idle worker's processor time, statements and transactions within so many seconds."""
    from benchmarks.project.jobs import no_op

    with serving() as worker:
        no_op.enqueue().result(timeout=60)  # it has begun, and has had something to do
        time.sleep(SETTLES)
        busy, asked, ended = used(worker.pid), count.stat().st_size, transactions()
        time.sleep(seconds)
        return (
            used(worker.pid) - busy,
            count.stat().st_size - asked,
            # The look before is itself one that ends after it has counted.
            max(0, transactions() - ended - 1),
        )


def main() -> None:
    """Measure; print both a minute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES, default="sqlite")
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    with tempfile.NamedTemporaryFile() as count, fresh_project(given.database):
        print(machine())
        os.environ["BENCH_COUNT"] = count.name
        busy, statements, ended = measure(given.seconds, Path(count.name))
    a_minute = 60 / given.seconds
    figures = [
        Figure("an idle worker's processor time", busy * a_minute, "s/min"),
        Figure("an idle worker's statements", statements * a_minute, "/min"),
    ]
    if given.database == "postgresql":
        figures.append(Figure("an idle worker's transactions", ended * a_minute, "/min"))
    tell(*figures)


if __name__ == "__main__":
    main()
