"""Every line says what became of the job, at the level it deserves; no handler makes the worker wait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from django_jobs import logs
from django_jobs.outcomes import ErrorReport, Outcome
from django_jobs.states import AttemptOutcome, ErrorKind, Status

ERROR = ErrorReport(ErrorKind.EXCEPTION, "ValueError", "no good")


def _outcome(outcome: AttemptOutcome, *, error: bool = True, retry_in: float | None = None) -> Outcome:
    return Outcome(
        uuid4(), 1, outcome, retry_in=retry_in, error=ERROR if error else None, finished_ns=1_500_000_000
    )


@pytest.mark.parametrize(
    ("outcome", "level", "says"),
    [
        (
            _outcome(AttemptOutcome.COMPLETED, error=False),
            "INFO",
            "completed in 1.500 s (attempt 2 of 3)",
        ),
        (
            _outcome(AttemptOutcome.FAILED, retry_in=30.0),
            "WARNING",
            "failed in 1.500 s (attempt 2 of 3): ValueError: no good; next attempt in 30 s",
        ),
        (
            _outcome(AttemptOutcome.CRASHED, retry_in=0),
            "WARNING",
            "crashed in 1.500 s (attempt 2 of 3): ValueError: no good; next attempt at once",
        ),
        (
            _outcome(AttemptOutcome.TIMED_OUT),
            "ERROR",
            "timed out in 1.500 s (attempt 2 of 3): ValueError: no good; dead",
        ),
        (
            _outcome(AttemptOutcome.INTERRUPTED, error=False),
            "INFO",
            "interrupted in 1.500 s (attempt 2 of 3)",
        ),
    ],
    ids=lambda value: value.outcome.value if isinstance(value, Outcome) else "",
)
def test_the_end_of_a_run_is_told_with_what_follows(
    caplog: pytest.LogCaptureFixture, outcome: Outcome, level: str, says: str
) -> None:
    with caplog.at_level(logging.INFO, "django_jobs"):
        logs.settled(function="app.jobs.mail", number=2, max_attempts=3, outcome=outcome)
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == (level, f"job {outcome.job_id} app.jobs.mail {says}")
    assert (record.job_id, record.function) == (str(outcome.job_id), "app.jobs.mail")


def test_a_level_that_nobody_listens_to_costs_no_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "django_jobs"):
        logs.settled(
            function="f", number=1, max_attempts=3, outcome=_outcome(AttemptOutcome.COMPLETED, error=False)
        )
    assert caplog.records == []


@pytest.mark.parametrize(("status", "level"), [(Status.DEAD, "ERROR"), (Status.READY, "WARNING")])
def test_a_rescued_job_that_is_dead_is_an_error(
    caplog: pytest.LogCaptureFixture, status: Status, level: str
) -> None:
    logs.rescued(job_id=uuid4(), function="f", worker_id="w", status=status)
    assert [record.levelname for record in caplog.records] == [level]


class Slow(logging.Handler):
    """A handler that waits for the test."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.lines = threading.Event(), []

    def emit(self, record: logging.LogRecord) -> None:
        self.go.wait(20)
        self.lines.append(record.getMessage())


def _state() -> tuple[list[logging.Handler], bool, int]:
    return logs.logger.handlers[:], logs.logger.propagate, logs.logger.level


@pytest.fixture
def slow() -> Iterator[Slow]:
    """Return the project's only handler of the logger."""
    handler, before = Slow(), _state()
    logs.logger.handlers, logs.logger.propagate = [handler], False
    logs.logger.setLevel(logging.NOTSET)
    yield handler
    handler.go.set()
    logs.logger.handlers, logs.logger.propagate = before[:2]
    logs.logger.setLevel(before[2])


def test_the_logger_is_as_before_when_the_worker_has_ended(slow: Slow) -> None:
    before = _state()
    parent = logs.ParentLogging(level=logging.INFO)
    parent.start()
    assert slow not in logs.logger.handlers
    assert logs.logger.level == logging.INFO
    slow.go.set()
    parent.stop()
    assert _state() == before


def test_stopping_is_borne_before_the_start_and_twice(slow: Slow) -> None:
    before = _state()
    parent = logs.ParentLogging(level=logging.INFO)
    parent.stop()
    parent.start()
    slow.go.set()
    parent.stop()
    parent.stop()
    assert _state() == before


def test_a_level_that_the_project_has_set_stays(slow: Slow) -> None:
    logs.logger.setLevel(logging.ERROR)
    parent = logs.ParentLogging(level=logging.INFO)
    parent.start()
    assert logs.logger.level == logging.ERROR
    slow.go.set()
    parent.stop()


def test_all_lines_are_written_before_the_end(slow: Slow) -> None:
    parent = logs.ParentLogging(level=logging.INFO)
    parent.start()
    slow.go.set()
    for number in range(200):
        logs.logger.info("line %d", number)
    parent.stop()
    assert slow.lines == [f"line {number}" for number in range(200)]


def test_a_handler_that_hangs_stops_neither_the_worker_nor_its_end(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "BACKLOG", 10)
    monkeypatch.setattr(logs, "LAST_LINES", 0.01)
    before = _state()
    parent = logs.ParentLogging(level=logging.INFO)
    parent.start()
    for number in range(50):
        logs.logger.info("line %d", number)
    parent.stop()
    assert _state() == before
    assert slow.lines == []


def test_a_projects_handlers_further_up_are_used() -> None:
    root = logging.getLogger()
    handler = Slow()
    handler.go.set()
    root.addHandler(handler)
    try:
        parent = logs.ParentLogging(level=logging.INFO)
        parent.start()
        logs.logger.warning("here")
        parent.stop()
    finally:
        root.removeHandler(handler)
    assert "here" in handler.lines
