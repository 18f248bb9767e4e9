from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.dispatch import Signal
from django.test.utils import CaptureQueriesContext

from django_jobs import JobInfo, client, registry, signals
from django_jobs.models import Job
from django_jobs.states import Status
from tests import jobs

Heard = list[dict[str, Any]]


@contextmanager
def listening(signal: Signal, sender: Any = None) -> Iterator[Heard]:
    """Collect what a signal says."""
    heard: Heard = []

    def hear(**told: Any) -> None:
        heard.append(told)

    signal.connect(hear, sender=sender)
    try:
        yield heard
    finally:
        signal.disconnect(hear, sender=sender)


def set_status(job: Job, status: Status, **values: Any) -> None:
    Job.objects.filter(pk=job.pk).update(status=status, **values)


def test_importing_them_needs_no_settings() -> None:
    code = "import django_jobs.signals as s; s.job_dead.connect(print)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "."}, timeout=30)


@pytest.mark.django_db
class TestEnqueued:
    def test_each_new_job_is_told_once_by_what_it_is(self) -> None:
        with listening(signals.job_enqueued) as heard:
            one = jobs.send.enqueue("a")
            many = jobs.add.enqueue_many([(1,), (2,)])
        assert [told["job"].id for told in heard] == [one.pk, *(each.pk for each in many)]
        assert [told["sender"] for told in heard] == [jobs.send, jobs.add, jobs.add]
        assert heard[0]["job"] == JobInfo(
            id=one.pk,
            function="tests.jobs.send",
            queue="mail",
            priority=10,
            attempt=0,
            round=1,
            max_attempts=5,
            worker_id="",
            database="default",
        )

    def test_a_receiver_for_one_function_hears_of_its_jobs_alone_also_with_other_options(self) -> None:
        with listening(signals.job_enqueued, sender=jobs.add) as heard:
            jobs.send.enqueue("a")
            job = jobs.add.using(priority=3).enqueue(1)
        assert [told["job"].id for told in heard] == [job.pk]

    def test_what_a_receiver_writes_is_rolled_back_with_the_job(self) -> None:
        def enqueue_another(job: JobInfo, **_: Any) -> None:
            jobs.echo.enqueue(str(job.id))

        signals.job_enqueued.connect(enqueue_another, sender=jobs.add)
        try:
            with transaction.atomic():
                jobs.add.enqueue(1)
                assert Job.objects.count() == 2
                transaction.set_rollback(True)
        finally:
            signals.job_enqueued.disconnect(enqueue_another, sender=jobs.add)
        assert not Job.objects.exists()

    def test_a_receiver_that_raises_changes_nothing_and_is_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(**_: Any) -> None:
            raise RuntimeError("a broken receiver")

        signals.job_enqueued.connect(fail)
        try:
            with listening(signals.job_enqueued) as heard:
                job = jobs.add.enqueue(1)
        finally:
            signals.job_enqueued.disconnect(fail)
        assert len(heard) == 1
        (record,) = [each for each in caplog.records if each.name == "django_jobs"]
        assert str(job.pk) in record.getMessage()
        assert "a broken receiver" in str(record.exc_info)

    def test_a_coroutine_is_a_receiver_too(self) -> None:
        heard = []

        async def hear(job: JobInfo, **_: Any) -> None:
            await asyncio.sleep(0)
            heard.append(job.id)

        signals.job_enqueued.connect(hear)
        try:
            job = jobs.add.enqueue(1)
            later = async_to_sync(jobs.add.aenqueue)(1)
        finally:
            signals.job_enqueued.disconnect(hear)
        assert heard == [job.pk, later.pk]

    def test_a_receiver_that_nobody_holds_is_gone(self) -> None:
        class Listener:
            heard = 0

            def hear(self, **_: Any) -> None:
                Listener.heard += 1

        listener = Listener()
        signals.job_enqueued.connect(listener.hear)
        jobs.add.enqueue(1)
        del listener
        assert not signals.is_heard(signals.job_enqueued)
        jobs.add.enqueue(1)
        assert Listener.heard == 1

    def test_one_that_ends_the_program_ends_it(self) -> None:
        def leave(**_: Any) -> None:
            raise KeyboardInterrupt

        signals.job_enqueued.connect(leave)
        try:
            with pytest.raises(KeyboardInterrupt):
                jobs.add.enqueue(1)
        finally:
            signals.job_enqueued.disconnect(leave)


@pytest.mark.django_db(transaction=True)
class TestEnqueuedOnCommit:
    def test_it_is_told_when_it_is_stored(self) -> None:
        with listening(signals.job_enqueued) as heard:
            with transaction.atomic():
                job = jobs.add.enqueue_on_commit(1)
                assert heard == []
            assert [told["job"].id for told in heard] == [job.pk]


@pytest.mark.django_db
class TestChanges:
    def test_cancelled_are_those_that_were_pending(self) -> None:
        pending, running, done = jobs.add.enqueue_many([(1,), (2,), (3,)])
        set_status(running, Status.RUNNING, worker_id="w1", claim_token=7)
        set_status(done, Status.COMPLETED)
        with listening(signals.job_cancelled) as heard:
            assert client.cancel([pending.pk, running.pk, done.pk]) == (1, 1)
            assert client.cancel([pending.pk]) == (0, 0)
        assert [told["job"].id for told in heard] == [pending.pk]

    def test_requeued_are_those_that_were_final_in_their_new_round(self) -> None:
        pending, dead = jobs.add.enqueue_many([(1,), (2,)])
        set_status(dead, Status.DEAD, attempts=3, round=2)
        with listening(signals.job_requeued) as heard, listening(signals.job_enqueued) as new:
            assert client.requeue([pending.pk, dead.pk]) == 1
        (told,) = heard
        assert (told["job"].id, told["job"].round, told["job"].attempt) == (dead.pk, 3, 0)
        assert (told["sender"], new) == (jobs.add, [])

    def test_replayed_tells_the_new_job_and_the_letter(self) -> None:
        dead = jobs.add.enqueue(1)
        set_status(dead, Status.DEAD)
        with listening(signals.job_replayed) as heard, listening(signals.job_enqueued) as new:
            (made,) = client.replay([dead.pk])
            assert client.replay([dead.pk]) == []
        (told,) = heard
        assert (told["job"].id, told["replay_of"]) == (made.pk, dead.pk)
        assert [each["job"].id for each in new] == [made.pk]

    def test_what_fails_is_not_told(self) -> None:
        dead = jobs.add.enqueue(1)
        set_status(dead, Status.DEAD)
        with listening(signals.job_requeued) as heard, pytest.raises(LookupError):
            client.requeue([dead.pk, jobs.add.enqueue(1).pk, "0" * 32])
        assert heard == []

    def test_only_who_listens_makes_it_look_which_jobs_they_are(self) -> None:
        one, other = jobs.add.enqueue_many([(1,), (2,)])
        with CaptureQueriesContext(connection) as unheard:
            client.cancel([one.pk])
        with listening(signals.job_cancelled), CaptureQueriesContext(connection) as heard:
            client.cancel([other.pk])
        assert len(heard) == len(unheard) + 1

    def test_what_may_be_large_is_not_read_for_it(self) -> None:
        job = jobs.add.enqueue(1)
        with listening(signals.job_cancelled), CaptureQueriesContext(connection) as queries:
            client.cancel([job.pk])
        (looked,) = [each["sql"] for each in queries if "max_attempts" in each["sql"]]
        for column in ("args", "options", "result_data", "error"):
            assert connection.ops.quote_name(column) not in looked


def test_of_a_function_that_is_not_known_there_is_no_sender() -> None:
    assert "gone.function" not in registry.names()
    with listening(signals.job_dead) as heard, listening(signals.job_dead, sender=jobs.add) as others:
        assert signals.is_heard(signals.job_dead, "gone.function")
        signals.send(signals.job_dead, _info("gone.function"), error=None)
    assert [told["sender"] for told in heard] == [None]
    assert others == []


def test_who_listens_to_another_function_does_not_listen_to_this_one() -> None:
    with listening(signals.job_dead, sender=jobs.add):
        assert signals.is_heard(signals.job_dead, "tests.jobs.add")
        assert not signals.is_heard(signals.job_dead, "tests.jobs.send")


def _info(function: str) -> JobInfo:
    return JobInfo(
        id=uuid4(),
        function=function,
        queue="default",
        priority=0,
        attempt=1,
        round=1,
        max_attempts=1,
        worker_id="w1",
        database="default",
    )
