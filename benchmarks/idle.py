"""What an idle worker costs: `python -m benchmarks.idle [sqlite|postgresql|mariadb]`.

Processor time of parent, nursery and runners together, and what they ask the database, in one minute
without a job. The statements are counted by the worker itself, in a file.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from benchmarks.bench import DATABASES, family, fresh_project, machine, serving
from benchmarks.figures import Figure, tell

TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """Return the time a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def used(pid: int) -> float:
    """Return what a worker and its children have used so far (seconds)."""
    return sum(processor_seconds(each) for each in family(pid))


def measure(seconds: float, count: Path) -> tuple[float, int]:
    """Return an idle worker's processor time and statements within so many seconds."""
    from benchmarks.project.jobs import no_op

    with serving() as worker:
        no_op.enqueue().result(timeout=60)  # it has begun, and has had something to do
        time.sleep(2)
        before, asked = used(worker.pid), count.stat().st_size
        time.sleep(seconds)
        return used(worker.pid) - before, count.stat().st_size - asked


def main() -> None:
    """Measure; print both a minute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", choices=DATABASES, default="sqlite")
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    with tempfile.NamedTemporaryFile() as count, fresh_project(given.database):
        print(machine())
        os.environ["BENCH_COUNT"] = count.name
        busy, statements = measure(given.seconds, Path(count.name))
    a_minute = 60 / given.seconds
    tell(
        Figure("an idle worker's processor time", busy * a_minute, "s/min"),
        Figure("an idle worker's statements", statements * a_minute, "/min"),
    )


if __name__ == "__main__":
    main()
