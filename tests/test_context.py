"""The current job is there while it runs, and nowhere else."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import inspect
import threading
from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async

from django_jobs import CancelRequested, NoCurrentJob, SoftTimeout, current_job, get_current_job
from django_jobs.context import running
from django_jobs.notebook import Notebook
from django_jobs.notes import Note, Progress
from django_jobs.wire.clock import boottime_ns
from tests.test_retries import JOB


def test_there_is_no_current_job_outside_a_job() -> None:
    assert get_current_job() is None
    with pytest.raises(NoCurrentJob, match="no current job"):
        _ = current_job.id


def test_the_current_job_is_there_while_it_runs() -> None:
    with running(JOB):
        assert get_current_job() is JOB
        assert (current_job.id, current_job.attempt, current_job.slots) == (JOB.id, 1, 2)
    assert get_current_job() is None


def test_tools_may_look_at_the_proxy_outside_a_job() -> None:
    assert inspect.unwrap(current_job) is current_job  # type: ignore[arg-type]
    assert not hasattr(current_job, "__wrapped__")
    assert copy.copy(current_job) is not None


def test_a_coroutine_sees_the_job_it_was_started_in() -> None:
    async def ask() -> object:
        return current_job.id

    with running(JOB):
        assert asyncio.run(ask()) == JOB.id


def test_what_a_job_says_goes_into_its_notebook_also_from_threads_and_coroutines() -> None:
    job = replace(JOB, notebook=Notebook())

    async def log() -> None:
        current_job.log("from a coroutine")

    with running(job):
        current_job.progress(1, 2, note="half")
        current_job.meta["seen"] = [1]
        current_job.save_meta()
        thread = threading.Thread(
            target=contextvars.copy_context().run, args=(current_job.log, "from a thread")
        )
        thread.start()
        thread.join()
        asyncio.run(log())
    assert job.notebook.note == Note(
        Progress(1.0, 2.0, "half"), '{"seen":[1]}', "from a thread\nfrom a coroutine"
    )


def test_outside_a_job_there_is_nobody_to_speak() -> None:
    for speak in (lambda: current_job.progress(1), lambda: current_job.log("line"), lambda: current_job.meta):
        with pytest.raises(NoCurrentJob):
            speak()


def test_whoever_sets_the_meta_is_told_what_to_do() -> None:
    with running(JOB), pytest.raises(AttributeError, match="change the dict it is, and call save_meta"):
        current_job.meta = {}  # type: ignore[misc]


def test_a_job_that_asks_is_told_when_its_soft_limit_has_passed() -> None:
    now = boottime_ns()
    for ends_ns in (None, now + 60 * 10**9):
        replace(JOB, soft_ends_ns=ends_ns).check_timeout()
    with running(replace(JOB, soft_ends_ns=now)), pytest.raises(SoftTimeout, match="soft_timeout"):
        current_job.check_timeout()


def test_a_job_that_asks_is_told_when_somebody_wants_it_cancelled() -> None:
    with running(JOB):
        current_job.check_cancelled()
        assert current_job.cancel_requested is False
    with running(replace(JOB, cancel_asked=lambda: True)):
        assert current_job.cancel_requested is True
        with pytest.raises(CancelRequested):
            current_job.check_cancelled()
    with pytest.raises(NoCurrentJob):
        current_job.check_cancelled()


def test_a_job_that_goes_on_after_any_exception_does_not_go_on_when_it_is_cancelled() -> None:
    assert not issubclass(CancelRequested, Exception)


def test_threads_and_coroutines_of_a_job_are_told_as_well() -> None:
    async def ask_in_thread() -> None:
        await sync_to_async(current_job.check_cancelled, thread_sensitive=False)()

    async def ask() -> None:
        current_job.check_cancelled()

    with running(replace(JOB, cancel_asked=lambda: True)):
        for way in (ask, ask_in_thread):
            with pytest.raises(CancelRequested):
                asyncio.run(way())


def test_a_job_cannot_change_what_it_is_told() -> None:
    with running(JOB), pytest.raises(AttributeError):
        current_job.attempt = 5  # type: ignore[misc]
