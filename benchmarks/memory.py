"""What a worker takes of the machine's memory: `python -m benchmarks.memory`.

Proportional set size (PSS) of parent, nursery and runners together, after 1,000 jobs.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path

from benchmarks.bench import family, fresh_project, machine, start_worker

JOBS = 1_000


def pss(pid: int) -> float:
    """Return a process's proportional set size in MB (10^6 bytes)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Pss:"))


def main() -> None:
    """Run the jobs, then print every process's share and the sum."""
    with fresh_project():
        from benchmarks.project.jobs import no_op
        from django_jobs.models import Job

        print(machine())
        no_op.enqueue_many([(number,) for number in range(JOBS)])
        worker = start_worker()
        try:
            while Job.objects.completed().count() < JOBS:
                time.sleep(0.05)
            shares = [pss(pid) for pid in family(worker.pid)]
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait()
    names = ["parent", "nursery", *(f"runner {number}" for number in range(1, len(shares) - 1))]
    for name, share in zip(names, shares, strict=True):
        print(f"{name:9} {share:6.1f} MB")
    print(f"together  {sum(shares):6.1f} MB")


if __name__ == "__main__":
    main()
