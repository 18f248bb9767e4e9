"""A runner ends between two jobs: after so many, or when one has left it too large."""

from __future__ import annotations

import pytest

from django_jobs.recycling import Recycling
from django_jobs.runner import memory
from django_jobs.runner.wear import Wear


def _runs(wear: Wear, function: str = "f") -> bool:
    wear.begin()
    return wear.is_out(after=function)


def test_a_runner_without_limits_is_never_worn_out() -> None:
    wear = Wear(Recycling())
    assert not any(_runs(wear) for _ in range(1000))


def test_the_last_of_so_many_jobs_is_the_last() -> None:
    wear = Wear(Recycling(max_jobs=3))
    assert [_runs(wear) for _ in range(3)] == [False, False, True]


def test_the_last_job_is_known_when_it_begins() -> None:
    wear = Wear(Recycling(max_jobs=2))
    seen = [wear.has_enough]
    for _ in range(2):
        wear.begin()
        seen.append(wear.has_enough)
    assert seen == [False, False, True]


def test_the_job_after_which_a_runner_is_too_large_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = iter([2**20, 3 * 2**20])
    monkeypatch.setattr(memory, "resident", lambda: next(sizes))
    wear = Wear(Recycling(max_memory=2**21))
    assert not _runs(wear, "shop.jobs.small")
    assert not caplog.records
    assert _runs(wear, "shop.jobs.large")
    assert [record.message for record in caplog.records] == [
        "a runner is replaced: it occupies 3M after a job of shop.jobs.large, more than --max-memory=2M"
    ]
