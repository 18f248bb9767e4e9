"""Assignments as a runner reads them."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django_jobs.context import Workplace
from django_jobs.functions import JobFunction
from django_jobs.outcomes import ErrorReport, Outcome
from django_jobs.runner.execute import execute
from django_jobs.runner.interrupts import Interrupts
from django_jobs.uuid7 import uuid7
from django_jobs.wire.messages import Assignment
from django_jobs.wire.slips import Slips
from tests.runner import jobs

PLACE = Workplace("w", 2, "default")
# Nobody orders anything here.
INTERRUPTS = Interrupts(Slips.create(1)[0])


@contextmanager
def stoppable() -> Iterator[Interrupts]:
    """Return the interrupts of a runner whose run stops when `jobs` orders it to."""
    slips, before = Slips.create(1), signal.getsignal(signal.SIGALRM)
    timer = signal.getitimer(signal.ITIMER_REAL)  # the time limit of the test
    slips[0].busy(uuid7(), 7, 5)
    interrupts = Interrupts(slips[0])
    interrupts.listen()
    jobs.slip.append(slips[0])
    try:
        yield interrupts
    finally:
        jobs.slip.clear()
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)
        slips.close()


def assignment(function: JobFunction[Any, Any] | str, *args: Any, **columns: Any) -> Assignment:
    """Return an assignment of a job function with these arguments."""
    name = function if isinstance(function, str) else function.name
    return Assignment(
        **{
            "job_id": uuid7(),
            "token": 7,
            "function": name,
            "queue": "default",
            "priority": 3,
            "max_attempts": 3,
            "round": 2,
            "number": 1,
            "options": None,
            "meta": None,
            "args": json.dumps({"args": args, "kwargs": {}}),
            **columns,
        }
    )


def outcome_of(function: JobFunction[Any, Any] | str, *args: Any, **columns: Any) -> Outcome:
    """Run a job; return its outcome."""
    outcome = execute(assignment(function, *args, **columns), PLACE, INTERRUPTS)
    assert isinstance(outcome, Outcome)
    return outcome


def error_of(function: JobFunction[Any, Any] | str, *args: Any, **columns: Any) -> ErrorReport:
    """Run a job that fails; return its error."""
    error = outcome_of(function, *args, **columns).error
    assert error is not None
    return error
