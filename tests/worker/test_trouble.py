"""An outage is told once, then each minute; the pauses grow to a bound."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from django_jobs.worker import trouble as trouble_module
from django_jobs.worker.trouble import FIRST_PAUSE, LONGEST_PAUSE, SAY_EVERY, Trouble


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the time be 1,000 s."""
    now = [1000.0]
    monkeypatch.setattr(trouble_module, "boottime", lambda: now[0])
    return now


def test_an_outage_is_told_once_and_again_after_a_minute(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    trouble = Trouble("default")
    for _ in range(100):
        trouble.happened(OperationalError("away"))
    assert len(caplog.records) == 1
    clock[0] += SAY_EVERY
    trouble.happened(OperationalError("away"))
    assert len(caplog.records) == 2
    assert all("away" in record.getMessage() for record in caplog.records)


@pytest.mark.usefixtures("clock")
def test_each_pause_is_longer_than_the_one_before_up_to_a_bound() -> None:
    trouble = Trouble("default")
    pauses = [trouble.happened(OperationalError("away")) for _ in range(2000)]
    assert pauses[0] == FIRST_PAUSE
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


def test_the_end_of_an_outage_is_told_once_and_the_next_one_begins_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trouble = Trouble("default")
    trouble.over()
    trouble.happened(OperationalError("away"))
    with caplog.at_level("INFO", "django_jobs"):
        trouble.over()
        trouble.over()
    assert [record.getMessage() for record in caplog.records][1:] == ["the database answers again"]
    assert trouble.happened(OperationalError("away")) == FIRST_PAUSE


def test_a_failure_that_is_not_the_databases_comes_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Trouble("default").happened(ValueError("a fault of ours"))
    (record,) = caplog.records
    assert record.exc_info
    assert "the desk failed and goes on" in record.getMessage()
