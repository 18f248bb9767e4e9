"""What a worker takes of the machine's memory: `python -m benchmarks.memory [database]`.

Proportional set size (PSS) of parent, nursery and runners together, after 1,000 jobs.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from benchmarks.bench import DATABASES, family, fresh_project, machine, serving
from benchmarks.figures import Figure, tell

JOBS = 1_000


def pss(pid: int) -> float:
    """Return a process's proportional set size in MB (10^6 bytes)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Pss:"))


def main() -> None:
    """Run the jobs, then print every process's share and the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES, default="sqlite")
    given = parser.parse_args()
    with fresh_project(given.database):
        from benchmarks.project.jobs import no_op
        from django_jobs.models import Job

        print(machine())
        no_op.enqueue_many([(number,) for number in range(JOBS)])
        with serving() as worker:
            while Job.objects.completed().count() < JOBS:
                time.sleep(0.05)
            shares = [pss(pid) for pid in family(worker.pid)]
    names = ["parent", "nursery", *(f"runner {number}" for number in range(1, len(shares) - 1))]
    each = [Figure(f"memory, {name}", share, "MB") for name, share in zip(names, shares, strict=True)]
    tell(Figure("memory, a worker of two runners together", sum(shares), "MB"), *each)


if __name__ == "__main__":
    main()
