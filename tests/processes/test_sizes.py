"""What is far too large: refused with a clear error, cut with a word about it, never the worker's burden."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from django_jobs import PayloadTooLarge, ResultTooLarge, SerializationError
from django_jobs.conf import conf
from django_jobs.models import Job, JobError
from tests import jobs
from tests import jobs_that_misbehave as misbehaving
from tests.processes.conftest import Start, WorkerProcess

pytestmark = [pytest.mark.faults(from_tier=1), pytest.mark.django_db(transaction=True)]

MEGABYTE = 1_000_000
SECRET = "\n".join(f"secret line {number:05}" for number in range(5_000))
# What JSON adds to a text, and to the arguments of `echo`.
QUOTES = len('""')
AROUND = len('{"args":[""],"kwargs":{}}')


def peak(worker: WorkerProcess) -> float:
    """Return the most memory the worker itself has had since it was last told to forget that (MB)."""
    status = Path(f"/proc/{worker.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / MEGABYTE


def error_of(job: Job) -> JobError:
    return JobError.objects.get(job=job)


def test_a_worker_carries_no_more_than_may_be_stored(
    start_worker: Start, record_property: Callable[[str, object], None]
) -> None:
    worker = start_worker("--processes", "1")
    worker.until_final(misbehaving.fail_at_length.enqueue(10), misbehaving.return_text.enqueue(10))
    Path(f"/proc/{worker.pid}/clear_refs").write_text("5")  # what was the most so far is forgotten
    before = peak(worker)
    huge = misbehaving.return_text.enqueue(50 * MEGABYTE)
    deep = misbehaving.return_nested.enqueue(100_000)
    long = misbehaving.fail_at_length.enqueue(10 * MEGABYTE, note=10 * MEGABYTE)
    secret = misbehaving.fail_at_length.enqueue(10 * MEGABYTE, secret=SECRET)
    huge, deep, long, secret = worker.until_final(huge, deep, long, secret)
    grown = peak(worker) - before
    record_property("figure", ("MB that a worker grew by over 50 MB of result and 40 MB of error", grown))
    assert grown < 20
    with pytest.raises(ResultTooLarge, match="took 50,000,002 bytes and was not stored"):
        huge.result(timeout=0)
    assert "nested too deeply" in error_of(deep).message
    for job, size in ((long, "10,000,000"), (secret, "10,000,000")):
        error = error_of(job)
        assert error.kind == "exception"
        assert f"truncated, {size} bytes in all" in error.message
        assert "truncated, " in error.traceback
        assert len(error.message.encode()) <= conf().MAX_ERROR_TEXT
        assert len(error.traceback.encode()) <= conf().MAX_TRACEBACK
        assert "secret line" not in error.message + error.traceback
    assert worker.stop() == 0


def test_a_result_and_an_error_are_stored_whole_up_to_their_limits(start_worker: Start) -> None:
    most, longest = conf().MAX_RESULT - QUOTES, conf().MAX_ERROR_TEXT
    results = [misbehaving.return_text.enqueue(most + more) for more in (-1, 0, 1)]
    errors = [misbehaving.fail_at_length.enqueue(longest + more) for more in (-1, 0, 1)]
    start_worker("--burst").wait()
    assert [len(job.result(timeout=0)) for job in results[:2]] == [most - 1, most]
    with pytest.raises(ResultTooLarge):
        results[2].result(timeout=0)
    messages = [error_of(job).message for job in errors]
    assert messages[:2] == ["e" * (longest - 1), "e" * longest]
    assert f"truncated, {longest + 1:,} bytes in all" in messages[2]
    assert len(messages[2]) == longest


def test_arguments_are_refused_over_their_limit_and_nothing_is_stored() -> None:
    most = conf().MAX_PAYLOAD - AROUND
    for length in (most - 1, most):
        assert len(jobs.echo.enqueue("x" * length).args) == length + AROUND
    for length in (most + 1, 20 * MEGABYTE):
        with pytest.raises(PayloadTooLarge, match=f"take {length + AROUND:,} bytes"):
            jobs.echo.enqueue("x" * length)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(SerializationError, match="nested too deeply"):
        jobs.echo.enqueue(deep)
    assert Job.objects.count() == 2
