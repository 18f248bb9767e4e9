"""What keeps a worker busy for ever, and how it is ended: by its time limit, or by a person.

Each has a limit, as every job should; the descriptions are the code that hangs.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

from django_jobs import current_job, job

QUEUE = "hanging"
# Served by a worker with threads, and by no other.
CROWD = "crowd"
STEP_SECONDS = 0.1
LIMIT = 1.0
# It says that it listens to nothing before it goes to sleep.
_DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
)


@job(queue=QUEUE, timeout=LIMIT, max_attempts=1, description="time.sleep(60)")
def sleep() -> None:
    """Wait for something that does not come, as most jobs that hang do."""
    time.sleep(60)


@job(queue=QUEUE, timeout=LIMIT, max_attempts=1, description="while True: pass")
def spin() -> None:
    """Loop in Python, which looks for signals all the time."""
    while True:
        pass


@job(queue=QUEUE, timeout=LIMIT, max_attempts=1, description="sum(range(10**12))")
def count_in_c() -> int:
    """Loop in C, which never comes back to look for signals: only killing the process helps."""
    return sum(range(10**12))


@job(queue=QUEUE, timeout=LIMIT, max_attempts=1, description="a program that ignores SIGTERM")
def wait_for_a_deaf_program() -> None:
    """Wait for a program that ends neither by itself nor when asked to."""
    with subprocess.Popen([sys.executable, "-c", _DEAF], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()
        program.wait()


@job(queue=QUEUE, timeout=LIMIT, max_attempts=1, description="await asyncio.sleep(60)")
async def await_long() -> None:
    """Wait for something that does not come, in a coroutine."""
    await asyncio.sleep(60)


@job(queue=QUEUE, timeout=600, description="time.sleep(600)")
def wait_ten_minutes() -> None:
    """Wait so long that a person loses patience first."""
    time.sleep(600)


@job(queue=CROWD, timeout=60, max_attempts=1, description="works while its neighbour hangs")
def work_beside(steps: int) -> dict[str, int]:
    """Work in small steps, and after an interruption go on where it was.

    With one attempt only: that its process is killed for the sake of another job costs it none.
    """
    begun_with = current_job.meta.get("done", 0)
    for number in range(begun_with, steps):
        time.sleep(STEP_SECONDS)
        current_job.meta["done"] = number + 1
        current_job.save_meta()
        current_job.progress(number + 1, steps)
    return {"steps": steps, "begun_with": begun_with}
