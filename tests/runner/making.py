"""Assignments as a runner reads them."""

from __future__ import annotations

import json
from typing import Any

from django_jobs.context import Workplace
from django_jobs.functions import JobFunction
from django_jobs.outcomes import ErrorReport, Outcome
from django_jobs.runner.execute import execute
from django_jobs.uuid7 import uuid7
from django_jobs.wire.messages import Assignment

PLACE = Workplace("w", 2, "default")


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
    outcome = execute(assignment(function, *args, **columns), PLACE)
    assert isinstance(outcome, Outcome)
    return outcome


def error_of(function: JobFunction[Any, Any] | str, *args: Any, **columns: Any) -> ErrorReport:
    """Run a job that fails; return its error."""
    error = outcome_of(function, *args, **columns).error
    assert error is not None
    return error
