"""What it costs a job to ask whether it is to stop: `python -m benchmarks.checking`.

The best of several rounds, because whatever else the machine does only makes it slower.
"""

from __future__ import annotations

import platform
import timeit
from uuid import uuid4

from django_jobs.context import JobContext, current_job, running
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.slips import Slips

ROUNDS, CALLS = 20, 50_000


def main() -> None:
    """Ask in a run that nobody wants to stop, and print the nanoseconds a call."""
    print(f"{platform.machine()}, Python {platform.python_version()}")
    slip = Slips.create(1)[0]
    slip.busy(uuid4(), 7, boottime_ns())
    context = JobContext(
        id=uuid4(),
        function="benchmark",
        queue="default",
        priority=0,
        attempt=1,
        round=1,
        max_attempts=1,
        worker_id="w",
        slots=1,
        database="default",
        soft_ends_ns=boottime_ns() + 10**15,
        cancel_asked=slip.cancel_asked(),
    )
    with running(context):
        for name in ("check_cancelled", "check_timeout"):
            seconds = timeit.repeat(
                f"current_job.{name}()", globals={"current_job": current_job}, repeat=ROUNDS, number=CALLS
            )
            print(f"current_job.{name}(): {min(seconds) / CALLS * 1e9:.0f} ns")


if __name__ == "__main__":
    main()
