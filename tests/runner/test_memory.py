"""A run gets so much memory on top of what its process has; what it leaves behind is the limit of before."""

from __future__ import annotations

import json
import resource

import pytest

from django_jobs.runner import memory
from django_jobs.runner.memory import Allowance
from tests import jobs_that_misbehave as jobs
from tests.runner.making import error_of, outcome_of

MIB = 2**20


def _limits() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_AS)


def test_what_a_runner_occupies_grows_with_it() -> None:
    before = memory.resident()
    held = b"x" * (64 * MIB)
    assert memory.resident() - before > len(held) / 2


def test_too_much_is_a_memory_error_that_names_the_limit() -> None:
    before = _limits()
    with pytest.raises(MemoryError) as caught, Allowance(64 * MIB):
        bytes(256 * MIB)
    assert str(caught.value) == "the job needed more memory than its max_memory of 64M"
    assert _limits() == before


def test_what_a_library_says_of_it_is_kept() -> None:
    with pytest.raises(MemoryError, match="max_memory of 64M: no room for an array"), Allowance(64 * MIB):
        raise MemoryError("no room for an array")


def test_less_is_no_error_whatever_the_process_has_already() -> None:
    held = b"x" * (128 * MIB)
    with Allowance(96 * MIB):
        assert len(bytes(32 * MIB)) < len(held)


def test_no_limit_changes_none() -> None:
    before = _limits()
    with Allowance(None):
        assert _limits() == before


def test_a_lower_limit_of_the_process_stays_and_is_not_taken_for_the_jobs() -> None:
    soft, hard = _limits()
    lower = memory.reserved() + 64 * MIB
    resource.setrlimit(resource.RLIMIT_AS, (lower, hard))
    try:
        with pytest.raises(MemoryError) as caught, Allowance(2**40):
            bytes(256 * MIB)
        assert "max_memory" not in str(caught.value)
        assert _limits() == (lower, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(ValueError, match="mine"), Allowance(64 * MIB):
        raise ValueError("mine")


def test_a_hungry_run_is_a_failed_attempt_of_that_place() -> None:
    options = json.dumps({"max_memory": 64 * MIB})
    error = error_of(jobs.eat, 256 * MIB, options=options)
    assert error.exception_type == "MemoryError"
    assert error.message == "the job needed more memory than its max_memory of 64M"
    assert error.traceback.splitlines()[1].endswith("in eat")
    assert outcome_of(jobs.eat, MIB, options=options).error is None
