"""What wakes a worker, on engines that can hear."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Set
from typing import Any

import pytest
from django.db import connections

from django_jobs.engines.listening import ANY_QUEUE, Listener
from django_jobs.engines.rows import Held, Released
from django_jobs.states import Status
from django_jobs.wire.clock import boottime
from tests.engines.conformance.making import NOW, after, done, enqueue, failed, running

PATIENCE = 20.0


def news(listener: Listener, *, patience: float = PATIENCE) -> Set[str]:
    """Wait for news as a worker does; return them, none when there were none for so long (seconds)."""
    end = boottime() + patience
    while boottime() < end:
        if heard := listener.heard():
            return heard
        readable = select.poll()
        if (fd := listener.fileno()) is not None:
            readable.register(fd, select.POLLIN)
        readable.poll(max(0.0, min(end, listener.next_at) - boottime()) * 1000)
    return frozenset()


def drain(listener: Listener) -> int:
    """Hear everything there is until it has been quiet; return how often there was something."""
    times = 0
    while news(listener, patience=0.3):
        times += 1
    return times


def elsewhere(act: Callable[[], Any]) -> None:
    """Act on a connection of its own, as another process would."""

    def in_thread() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join()


class TestListener:
    @pytest.mark.django_db(transaction=True)
    def test_it_is_quiet_while_nothing_happens_and_bears_being_closed_twice(self, engine):
        listener = engine.listener()
        drain(listener)
        assert listener.heard() == frozenset()
        assert listener.poll_interval > 0
        listener.close()
        listener.close()


@pytest.mark.django_db(transaction=True)
class TestWakeUps:
    def test_an_enqueue_that_committed_is_heard(self, engine, listener):
        elsewhere(lambda: enqueue(engine, queue="mail"))
        assert news(listener) & {"mail", ANY_QUEUE}

    def test_an_enqueue_is_not_heard_before_its_commit(self, engine, listener):
        before: list[Set[str]] = []
        stored, heard = threading.Event(), threading.Event()

        def slowly() -> None:
            with engine.transaction():
                enqueue(engine)
                stored.set()
                heard.wait(PATIENCE)

        other = threading.Thread(target=elsewhere, args=(slowly,))
        other.start()
        assert stored.wait(PATIENCE)
        before.append(listener.heard())
        heard.set()
        other.join()
        assert before == [frozenset()]
        assert news(listener)

    def test_a_burst_is_heard_a_few_times_at_most(self, engine, listener):
        elsewhere(lambda: [enqueue(engine) for _ in range(100)])
        assert 1 <= drain(listener) <= 3

    def test_a_job_for_later_is_heard(self, engine, listener):
        elsewhere(lambda: enqueue(engine, status=Status.SCHEDULED, run_after=after(60)))
        assert news(listener)

    def test_a_requeue_is_heard(self, engine, listener):
        job = running(engine)
        engine.ack([done(job)])
        drain(listener)
        elsewhere(lambda: engine.requeue([job.id], now=NOW))
        assert news(listener)

    def test_a_resume_is_heard(self, engine, listener):
        engine.pause(["mail"], now=NOW)
        drain(listener)
        elsewhere(lambda: engine.resume(["mail"]))
        assert news(listener)

    def test_a_promotion_is_heard(self, engine, listener):
        enqueue(engine, status=Status.SCHEDULED, run_after=after(-1))
        drain(listener)
        elsewhere(lambda: engine.promote(now=NOW, limit=10))
        assert news(listener)

    def test_a_release_is_heard(self, engine, listener):
        job = running(engine)
        drain(listener)
        elsewhere(lambda: engine.release([Released(Held(job.id, job.token))]))
        assert news(listener)

    def test_a_retry_at_once_is_heard(self, engine, listener):
        job = running(engine)
        drain(listener)
        elsewhere(lambda: engine.ack([failed(job, retry_in=0)]))
        assert news(listener)

    def test_a_rescue_is_heard(self, engine, listener):
        running(engine)
        drain(listener)
        elsewhere(lambda: engine.rescue(now=after(3600), limit=10))
        assert news(listener)

    def test_the_last_hold_that_falls_is_heard(self, engine, listener):
        (job,) = enqueue(engine, status=Status.WAITING, holds=1)
        drain(listener)
        elsewhere(lambda: engine.unhold([job.id], now=NOW))
        assert news(listener)
