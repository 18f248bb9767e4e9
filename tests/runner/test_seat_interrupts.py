"""An order to stop raises in the job it names, however close to its end it comes, and in no other."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from django_jobs.exceptions import HardTimeout, SoftTimeout, exception_name
from django_jobs.runner.coroutines import JobLoop
from django_jobs.runner.interrupts import WORDS
from django_jobs.runner.seat_interrupts import SeatInterrupts
from django_jobs.wire.slips import Slip, Slips, StopReason

LOOP = JobLoop()  # one for all tests, as it is one for all jobs of a runner
PATIENCE = 30.0


@pytest.fixture
def slip() -> Iterator[Slip]:
    """Return a seat's slip."""
    slips = Slips.create(1)
    yield slips[0]
    slips.close()


@pytest.fixture
def quick_switches() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


class Seat:
    """A seat in a thread of its own, that runs what it is given."""

    def __init__(self, slip: Slip, work: Callable[[SeatInterrupts], Any]) -> None:
        self._slip, self._work = slip, work
        self._ready = threading.Event()
        self.answer: Any = None
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self._ready.wait(PATIENCE)

    def _run(self) -> None:
        self.interrupts = SeatInterrupts(self._slip, LOOP)
        self._ready.set()
        try:
            self.answer = self._work(self.interrupts)
        except BaseException as error:
            self.error = error

    def stop(self, reason: StopReason = StopReason.TIMEOUT) -> None:
        """Order the run that is named to stop, as the main thread of a runner does."""
        run = self._slip.run()
        assert run is not None
        self._slip.stop(run, reason)
        self.interrupts.obey()

    def end(self) -> Any:
        """Wait for the end; raise or return what came of it."""
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.answer


def _begin(slip: Slip) -> None:
    slip.busy(uuid4(), 7, 5)


def _spin(started: threading.Event) -> None:
    started.set()
    while True:
        continue


@pytest.mark.parametrize("reason", list(WORDS))
def test_a_run_is_told_why_it_is_stopped(slip: Slip, reason: StopReason) -> None:
    _begin(slip)
    started = threading.Event()
    seat = Seat(slip, lambda interrupts: interrupts.guard(lambda: _spin(started)))
    started.wait(PATIENCE)
    seat.stop(reason)
    with pytest.raises(HardTimeout) as caught:
        seat.end()
    assert str(caught.value) == WORDS[reason]
    assert exception_name(caught.value) == "django_jobs.exceptions.HardTimeout"


def test_an_order_that_came_before_the_code_is_obeyed_when_it_begins(slip: Slip) -> None:
    _begin(slip)
    run = slip.run()
    assert run is not None
    slip.stop(run, StopReason.TIMEOUT)
    seat = Seat(slip, lambda interrupts: interrupts.guard(lambda: "ran"))
    with pytest.raises(HardTimeout):
        seat.end()


def test_the_hard_limit_follows_the_soft_one_and_nothing_follows_that(slip: Slip) -> None:
    _begin(slip)
    started, second, third = threading.Event(), threading.Event(), threading.Event()

    def code() -> str:
        try:
            _spin(started)
        except SoftTimeout:
            try:
                _spin(second)
            except HardTimeout:
                third.set()
                while not over.is_set():
                    continue
        return "cleaned up"

    over = threading.Event()
    seat = Seat(slip, lambda interrupts: interrupts.guard(code))
    for event, reason in (
        (started, StopReason.SOFT_TIMEOUT),
        (second, StopReason.TIMEOUT),
        (third, StopReason.SHUTDOWN),
    ):
        assert event.wait(PATIENCE)
        seat.stop(reason)
        seat.interrupts.obey()  # the signal may come again
    over.set()
    assert seat.end() == "cleaned up"


def test_an_order_after_the_code_raises_nothing(slip: Slip) -> None:
    _begin(slip)
    closed, ordered = threading.Event(), threading.Event()

    def work(interrupts: SeatInterrupts) -> bool:
        interrupts.guard(lambda: None)
        closed.set()
        assert ordered.wait(PATIENCE)
        return interrupts.told

    seat = Seat(slip, work)
    assert closed.wait(PATIENCE)
    seat.stop()
    ordered.set()
    assert seat.end() is True


def test_a_process_that_the_job_forked_does_not_wait_for_a_lock_that_nobody_opens(slip: Slip) -> None:
    _begin(slip)

    def work(interrupts: SeatInterrupts) -> int:
        def fork_and_return() -> int:
            with interrupts._lock:  # as the main thread may have, at that moment
                child = os.fork()
            if child == 0:
                interrupts._lock.acquire()
            return child

        child = interrupts.guard(fork_and_return)
        if child == 0:
            os._exit(7)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert Seat(slip, work).end() == 7


class Barrage:
    """Orders at any moment for the runs of a seat, until many came in time and many too late."""

    def __init__(self, slip: Slip) -> None:
        self._slip, self._chance = slip, random.Random(1)
        self._enough = threading.Event()
        self.stopped: set[int] = set()
        self.ordered: set[int] = set()

    def runs(self) -> Iterator[int]:
        """Name run after run until it is enough."""
        while not self._enough.is_set():
            _begin(self._slip)
            run = self._slip.run()
            assert run is not None
            yield run.serial

    def order(self, seat: Seat, *reasons: StopReason) -> None:
        """Order whatever runs to stop, some runs for several reasons."""
        while seat.thread.is_alive():
            run = self._slip.run()
            if run is None or self._chance.randrange(2):
                time.sleep(0)
                continue
            for reason in reasons[self._chance.randrange(len(reasons)) :]:
                self.ordered.add(run.serial)
                self._slip.stop(run, reason)
                seat.interrupts.obey()
            if len(self.stopped) > 1000 and len(self.ordered) - len(self.stopped) > 300:
                self._enough.set()
        seat.end()
        assert self.stopped < self.ordered


@pytest.mark.usefixtures("quick_switches")
def test_orders_at_any_moment_meet_the_job_they_name_or_none(slip: Slip) -> None:
    barrage, chance = Barrage(slip), random.Random(2)

    def work(interrupts: SeatInterrupts) -> None:
        for serial in barrage.runs():
            try:
                interrupts.guard(lambda: [time.sleep(0) for _ in range(chance.randrange(4))])
            except (SoftTimeout, HardTimeout):
                barrage.stopped.add(serial)
            # The runner's own code: what is raised in here ends the seat.
            for _ in range(chance.randrange(4)):
                time.sleep(0)

    barrage.order(Seat(slip, work), StopReason.SOFT_TIMEOUT, StopReason.TIMEOUT)


def _awaiting(function: Any) -> Callable[[SeatInterrupts], Any]:
    return lambda interrupts: interrupts.guard(lambda: interrupts.awaiting(function)())


@pytest.mark.parametrize(
    ("reason", "raised"), [(StopReason.TIMEOUT, HardTimeout), (StopReason.SOFT_TIMEOUT, SoftTimeout)]
)
def test_a_coroutine_is_cancelled_once_and_ends_as_the_order_says(
    slip: Slip, reason: StopReason, raised: type[BaseException]
) -> None:
    _begin(slip)
    started, seen = threading.Event(), list[str]()

    async def wait() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            seen.append("cleaned up")

    seat = Seat(slip, _awaiting(wait))
    assert started.wait(PATIENCE)
    seat.stop(reason)
    seat.interrupts.obey()
    with pytest.raises(raised) as caught:
        seat.end()
    assert seen == ["cleaned up"]
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)


def test_a_coroutine_needs_no_thread_besides_its_loop_and_its_seat(
    slip: Slip, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask_in_a_thread() -> int:
        return await sync_to_async(threading.get_ident)()

    def run(interrupts: SeatInterrupts) -> bool:
        LOOP.get()
        monkeypatch.setattr(threading.Thread, "start", lambda thread: pytest.fail("a thread was made"))
        return bool(_awaiting(ask_in_a_thread)(interrupts) == threading.get_ident())

    _begin(slip)
    assert Seat(slip, run).end()


def test_a_coroutine_that_cancels_itself_is_not_told_otherwise(slip: Slip) -> None:
    async def cancel_myself() -> None:
        raise asyncio.CancelledError

    _begin(slip)
    with pytest.raises(asyncio.CancelledError):
        Seat(slip, _awaiting(cancel_myself)).end()


# One that comes while Python clears away the task before is swallowed there, as in any destructor: that run
# goes on, and would be killed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("quick_switches")
def test_orders_at_any_moment_end_the_coroutine_they_name_or_none(slip: Slip) -> None:
    barrage, chance = Barrage(slip), random.Random(3)

    async def wait() -> None:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)

    def work(interrupts: SeatInterrupts) -> None:
        for serial in barrage.runs():
            try:
                _awaiting(wait)(interrupts)
            except HardTimeout:
                barrage.stopped.add(serial)
            interrupts.end()

    barrage.order(Seat(slip, work), StopReason.TIMEOUT)
