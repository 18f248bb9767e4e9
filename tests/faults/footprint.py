"""What a long run costs besides time: the memory and descriptors of a process, the size of the database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from django.db import connection

from django_jobs.models import Job
from tests.faults.ledger import Ledger

ASKED = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
    # What the files take: the statistics of the tables are stale for minutes.
    "mysql": """SELECT SUM(FILE_SIZE) FROM information_schema.INNODB_SYS_TABLESPACES
                WHERE NAME LIKE CONCAT(DATABASE(), '/%')""",
}


class Sample(NamedTuple):
    """What was found when so many jobs had ended and so many were stored; sizes in bytes."""

    jobs: int
    stored: int
    memory: int
    descriptors: int
    database: int


def sample(pid: int, ledger: Ledger) -> Sample:
    """Look at a process and the default database."""
    descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    return Sample(ledger.count("END"), Job.objects.count(), _memory(pid), descriptors, _database())


def slope(samples: list[Sample]) -> float:
    """Return by how many bytes the memory grows with each job, as the line that fits best has it."""
    jobs = [one.jobs for one in samples]
    middle, mean = sum(jobs) / len(jobs), sum(one.memory for one in samples) / len(samples)
    spread = sum((number - middle) ** 2 for number in jobs)
    return sum((one.jobs - middle) * (one.memory - mean) for one in samples) / spread


def room(samples: list[Sample]) -> float:
    """Return the bytes that the database takes in the end for each job of the most that it has held.

    Its files keep the size they had when they held most; how many that were depends on how fast it went.
    """
    return samples[-1].database / max(one.stored for one in samples)


def _memory(pid: int) -> int:
    resident = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(resident) * os.sysconf("SC_PAGE_SIZE")


def _database() -> int:
    with connection.cursor() as cursor:
        cursor.execute(ASKED[connection.vendor])
        return int(cursor.fetchone()[0])
