"""The family of exceptions, as other code meets it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import django_jobs as public

ALL = [
    public.CancelRequested(),
    public.DuplicateJobFunction("a.b"),
    public.HardTimeout("the job was cancelled"),
    public.InvalidJobFunction(print, "why not"),
    public.JobCancelled("id"),
    public.JobFailed("id", "ValueError", "broken", "File x"),
    public.JobNotFound("id"),
    public.NoCurrentJob(),
    public.PayloadTooLarge(5, 3),
    public.PermanentError("gone"),
    public.ResultExpired("id", datetime(2026, 3, 1, tzinfo=UTC)),
    public.ResultTimeout("id", 0.5, "ready"),
    public.ResultTooLarge("id", 5, "be"),
    public.RetryJob(defer=5),
    public.SerializationError("unreadable"),
    public.SoftTimeout(),
    public.TransientError("busy"),
    public.UnknownJobFunction("a.b", ["a.c"]),
    public.UnknownOption(["queu"], ["queue"]),
    public.WouldWaitForever("id", "it is asleep"),
]


def test_none_is_left_out_here() -> None:
    exported = {
        each
        for each in map(public.__dict__.get, public.__all__)
        if isinstance(each, type) and issubclass(each, public.JobsError)
    }
    assert exported - {type(error) for error in ALL} == {public.JobsError, public.ResultError}


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_each_survives_the_way_between_processes(error: Exception, again: Callable[[Any], Any]) -> None:
    arrived = again(error)
    assert type(arrived) is type(error)
    assert (str(arrived), arrived.__dict__) == (str(error), error.__dict__)
