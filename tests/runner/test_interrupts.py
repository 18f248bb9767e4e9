"""An order to stop raises in the job's own code, once, and nowhere else."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from django_jobs.exceptions import HardTimeout, SoftTimeout
from django_jobs.runner.interrupts import Interrupts
from django_jobs.wire.slips import Slips, StopReason


class Runner:
    """A runner's side and the worker's, in one process."""

    def __init__(self, slips: Slips) -> None:
        self.slip = slips[0]
        self.interrupts = Interrupts(self.slip)
        self.interrupts.listen()
        self.begin()

    def begin(self) -> None:
        """Name a run."""
        self.slip.busy(uuid4(), 7, 5)

    def order(self, reason: StopReason = StopReason.TIMEOUT) -> None:
        """Write an order for the run that is named, without the signal."""
        run = self.slip.run()
        assert run is not None
        self.slip.stop(run, reason)

    def stop(self, reason: StopReason = StopReason.TIMEOUT) -> None:
        """Order the run that is named to stop."""
        self.order(reason)
        self.signal()

    def signal(self) -> None:
        """Send the signal; its handler has run when this returns."""
        signal.raise_signal(signal.SIGALRM)


@pytest.fixture
def runner() -> Iterator[Runner]:
    """Return a runner; the signal's handler is put back after the test."""
    slips, before = Slips.create(1), signal.getsignal(signal.SIGALRM)
    timer = signal.getitimer(signal.ITIMER_REAL)
    try:
        yield Runner(slips)
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)
        slips.close()


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (StopReason.TIMEOUT, "longer than its timeout"),
        (StopReason.CANCEL, "cancelled"),
        (StopReason.SHUTDOWN, "worker stops"),
    ],
)
def test_a_run_is_told_why_it_is_stopped(runner: Runner, reason: StopReason, words: str) -> None:
    runner.interrupts.allow()
    with pytest.raises(HardTimeout, match=words):
        runner.stop(reason)


def test_nothing_is_raised_before_or_after_the_code_of_the_job(runner: Runner) -> None:
    runner.interrupts.allow()
    runner.interrupts.allowed = False
    runner.stop()
    assert runner.interrupts.told


def test_an_order_that_came_before_the_code_is_obeyed_when_it_begins(runner: Runner) -> None:
    runner.stop()
    with pytest.raises(HardTimeout):
        runner.interrupts.allow()


def test_an_order_is_obeyed_once(runner: Runner) -> None:
    runner.interrupts.allow()
    with pytest.raises(HardTimeout):
        runner.stop()
    runner.signal()
    runner.stop(StopReason.SHUTDOWN)


def test_the_hard_limit_follows_the_soft_one(runner: Runner) -> None:
    runner.interrupts.allow()
    with pytest.raises(SoftTimeout):
        runner.stop(StopReason.SOFT_TIMEOUT)
    runner.signal()
    with pytest.raises(HardTimeout):
        runner.stop()


def test_a_signal_without_an_order_does_nothing(runner: Runner) -> None:
    runner.interrupts.allow()
    runner.signal()
    assert not runner.interrupts.told


def test_an_order_for_the_run_before_stops_nobody(runner: Runner) -> None:
    runner.order()
    runner.begin()
    runner.interrupts.allow()
    runner.signal()
    assert not runner.interrupts.told


def test_each_run_has_its_own_order(runner: Runner) -> None:
    for _ in range(2):
        runner.begin()
        runner.interrupts.allow()
        with pytest.raises(HardTimeout):
            runner.stop()


def test_what_a_job_made_of_the_signal_does_not_reach_the_next_one(runner: Runner) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(1000)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    runner.interrupts.end()
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    runner.interrupts.allow()
    with pytest.raises(HardTimeout):
        runner.stop()


def test_the_child_of_a_job_is_not_who_the_order_is_for(runner: Runner) -> None:
    runner.interrupts.allow()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            runner.stop()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def _waits_for_ever(started: threading.Event, seen: list[str]) -> object:
    async def wait() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("cleaned up")

    return wait


@pytest.mark.parametrize(
    ("reason", "raised"), [(StopReason.TIMEOUT, HardTimeout), (StopReason.SOFT_TIMEOUT, SoftTimeout)]
)
def test_a_coroutine_is_cancelled_and_ends_as_the_order_says(
    runner: Runner, reason: StopReason, raised: type[BaseException]
) -> None:
    started, over, seen = threading.Event(), threading.Event(), list[str]()

    def stop_when_started() -> None:
        started.wait()
        runner.order(reason)
        # Until it is obeyed: Python hears no signal that comes just before it waits for a lock.
        while not over.wait(0.05):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)

    runner.interrupts.allow()
    stopper = threading.Thread(target=stop_when_started)
    stopper.start()
    with pytest.raises(raised) as caught:
        runner.interrupts.awaiting(_waits_for_ever(started, seen))()  # type: ignore[arg-type]
    over.set()
    stopper.join()
    assert seen == ["cleaned up"]
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)


def test_an_order_that_came_before_its_loop_runs_cancels_a_coroutine_as_well(runner: Runner) -> None:
    started, seen = threading.Event(), list[str]()
    runner.interrupts.allow()
    wait = runner.interrupts.awaiting(_waits_for_ever(started, seen))  # type: ignore[arg-type]
    runner.stop()
    with pytest.raises(HardTimeout):
        wait()


def test_a_coroutine_that_cancels_itself_is_not_told_otherwise(runner: Runner) -> None:
    async def cancel_myself() -> None:
        raise asyncio.CancelledError

    runner.interrupts.allow()
    with pytest.raises(asyncio.CancelledError):
        runner.interrupts.awaiting(cancel_myself)()
