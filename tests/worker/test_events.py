"""What receivers are to be told leaves the parent once, whatever becomes of the runner that tells them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from django_jobs.context import JobInfo
from django_jobs.wire.clock import boottime_ns
from django_jobs.wire.events import EVENTS_SLOT, Event, batch_from_bytes
from django_jobs.wire.slips import Slips, SlipState, StopReason
from django_jobs.wire.sockets import receive, send
from django_jobs.worker import events as events_module
from django_jobs.worker.event_line import EventLine
from django_jobs.worker.events import Events
from django_jobs.worker.places import Places
from django_jobs.worker.runners import Runners
from django_jobs.worker.starting import Event as News
from django_jobs.worker.starting import What
from tests.worker.making import FakeStarter, pid_of

PID = pid_of(EVENTS_SLOT)


class Hall:
    """Events whose runner the test plays itself."""

    def __init__(self, *, timeout: float = 30.0, kill_after: float = 1.0) -> None:
        self.starter, self.line, self.page = FakeStarter(), EventLine(), Slips.create(2)
        runners = Runners(self.starter, self.page, Places(1))
        self.events = Events(self.line, runners, timeout=timeout, kill_after=kill_after)
        self.slip = self.line.slips[0]

    def add(self, *names: str) -> None:
        """Have these told."""
        self.events.add(each(name) for name in names)

    def tend(self) -> float:
        """Do what is due."""
        return self.events.tend(staffing=True)

    def born(self) -> None:
        """Let a runner be born and be handed what there is."""
        self.tend()
        self.events.hear(News(What.BORN, EVENTS_SLOT, PID, 0))
        self.tend()

    def reads(self) -> list[str]:
        """Play a runner that reads a batch; return what it is to tell."""
        self.slip.say(SlipState.RECEIVING)
        message = receive(self.line.runner)
        assert message is not None
        return [str(event.details["worker_id"]) for event in batch_from_bytes(message)]

    def tells(self, number: int, *, for_ns: int = 0) -> None:
        """Play a runner that begins with the event of this number."""
        self.slip.say(SlipState.RECEIVING)
        self.slip.busy(UUID(int=0), number, boottime_ns() - for_ns)

    def reports(self, number: int) -> None:
        """Play a runner that has told so many."""
        send(self.line.runner, str(number).encode())
        self.slip.say(SlipState.IDLE)
        self.events.collect()

    def dies(self, *, status: int = 9, what: What = What.DIED) -> None:
        """Let its death be heard."""
        self.events.hear(News(what, EVENTS_SLOT, PID, status))

    def told_by_the_next(self) -> list[str]:
        """Let another runner be born; return what it is to tell."""
        self.events._start_at = 0.0
        self.born()
        return self.reads()


def each(name: str) -> bytes:
    return Event("worker_started", None, {"worker_id": name}).to_bytes()


@pytest.fixture
def hall() -> Iterator[Hall]:
    made = Hall()
    yield made
    made.line.close()
    made.page.close()


def test_no_runner_is_made_before_there_is_something_to_tell(hall: Hall) -> None:
    assert hall.tend() == float("inf")
    assert hall.starter.started == []
    hall.add("a")
    hall.tend()
    hall.tend()
    assert hall.starter.started == [EVENTS_SLOT]


def test_none_is_made_while_the_lease_has_passed(hall: Hall) -> None:
    hall.add("a")
    assert hall.events.tend(staffing=False) < 1
    assert hall.starter.started == []


def test_many_travel_together_and_one_batch_is_out_at_a_time(hall: Hall) -> None:
    hall.add("a", "b", "c")
    hall.born()
    hall.add("d")
    hall.tend()
    assert hall.reads() == ["a", "b", "c"]
    with pytest.raises(BlockingIOError):
        receive(hall.line.runner)
    assert not hall.events.idle
    hall.reports(3)
    hall.tend()
    assert hall.reads() == ["d"]
    hall.reports(1)
    assert hall.events.idle


def test_a_batch_is_no_larger_than_it_may_be(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "BATCH", 2)
    hall.add("a", "b", "c")
    hall.born()
    assert hall.reads() == ["a", "b"]
    hall.reports(2)
    monkeypatch.setattr(events_module, "BATCH_BYTES", 1)
    hall.add("d")
    hall.tend()
    assert hall.reads() == ["c"]


@pytest.mark.parametrize("status", [9, 3 << 8])
def test_after_a_death_those_behind_the_one_it_was_telling_are_told(
    hall: Hall, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    hall.add("a", "b", "c", "d")
    hall.born()
    hall.reads()
    hall.tells(1)
    hall.dies(status=status)
    assert "telling receivers of worker_started" in caplog.text
    assert hall.slip.state is SlipState.EMPTY
    assert hall.told_by_the_next() == ["c", "d"]


def test_a_batch_that_nobody_had_read_is_told_by_the_next(hall: Hall) -> None:
    hall.add("a", "b")
    hall.born()
    hall.dies()
    assert hall.told_by_the_next() == ["a", "b"]


def test_one_that_died_between_two_events_may_have_told_all_of_them(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    hall.add("a", "b")
    hall.born()
    hall.reads()
    hall.dies()
    assert hall.events.idle
    assert "not told of 2 events" in caplog.text


def test_what_it_reported_before_its_death_counts(hall: Hall) -> None:
    hall.add("a", "b", "c")
    hall.born()
    hall.reads()
    send(hall.line.runner, b"2")
    hall.slip.say(SlipState.LEAVING)
    hall.dies(status=0)
    assert hall.told_by_the_next() == ["c"]


def test_one_that_takes_too_long_is_told_to_stop_and_then_killed(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    hall.add("a", "b")
    hall.born()
    hall.reads()
    hall.tells(0, for_ns=29 * 10**9)
    assert hall.tend() <= 1
    assert hall.starter.interrupted == []
    hall.tells(0, for_ns=31 * 10**9)
    hall.tend()
    hall.tend()
    assert (hall.starter.interrupted, hall.starter.killed) == ([(EVENTS_SLOT, PID)], [])
    assert hall.slip.stop_asked is StopReason.TIMEOUT
    stopped = hall.events._stopped
    assert stopped is not None
    stopped.kill_ns = boottime_ns()
    hall.tend()
    assert hall.starter.killed == [(EVENTS_SLOT, PID)]
    hall.dies()
    assert "took longer than RECEIVER_TIMEOUT" in caplog.text
    assert hall.told_by_the_next() == ["b"]


def test_an_order_that_came_too_late_ends_nobody(hall: Hall) -> None:
    hall.add("a", "b")
    hall.born()
    hall.reads()
    hall.tells(0, for_ns=31 * 10**9)
    hall.tend()
    stopped = hall.events._stopped
    assert stopped is not None
    stopped.kill_ns = boottime_ns()
    hall.tells(1)
    hall.tend()
    assert hall.starter.killed == []


def test_one_that_has_a_batch_and_tells_none_of_it_is_killed(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hall.add("a", "b")
    hall.born()
    hall.reads()
    hall.tend()
    assert hall.starter.killed == []
    monkeypatch.setattr(events_module, "STUCK_AFTER", 0.0)
    hall.tells(0)
    hall.tend()
    assert hall.starter.killed == []
    hall.slip.say(SlipState.RECEIVING)
    hall.tend()
    assert hall.starter.killed == [(EVENTS_SLOT, PID)]
    hall.dies()
    assert hall.events.idle
    assert "not told of 2 events" in caplog.text


def test_each_event_has_its_own_time(hall: Hall) -> None:
    hall.add("a", "b")
    hall.born()
    hall.reads()
    for number in range(2):
        hall.tells(number, for_ns=20 * 10**9)
        hall.tend()
    assert hall.starter.interrupted == []


def test_a_birth_that_failed_is_tried_again_a_little_later(hall: Hall) -> None:
    hall.add("a")
    hall.tend()
    hall.events.hear(News(What.FAILED, EVENTS_SLOT, 0, 11))
    hall.tend()
    assert hall.starter.started == [EVENTS_SLOT]
    hall.events._start_at = 0.0
    hall.tend()
    assert hall.starter.started == [EVENTS_SLOT] * 2


def test_without_its_nursery_another_is_made(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(events_module, "kill_session", killed.append)
    hall.add("a", "b")
    hall.born()
    hall.reads()
    hall.tells(0)
    hall.events.orphan()
    assert killed == [PID]
    assert hall.told_by_the_next() == ["b"]


def test_what_is_too_much_is_dropped_counted_and_logged(
    hall: Hall, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "MOST", 3)
    hall.add("a", "b", "c", "d", "e")
    assert "not told of 2 events: they come faster than receivers take them" in caplog.text
    caplog.clear()
    hall.add("f")
    assert caplog.text == ""
    hall.born()
    assert hall.reads() == ["a", "b", "c"]
    hall.events.drop()
    assert "not told of 4 events: the worker has ended" in caplog.text


def test_bytes_count_too_until_they_are_told(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "MOST_BYTES", 2 * len(each("a")))
    hall.add("a", "b", "c")
    hall.born()
    assert hall.reads() == ["a", "b"]
    hall.reports(2)
    hall.add("d", "e")
    hall.tend()
    assert hall.reads() == ["d", "e"]


def test_nothing_left_at_the_end_is_not_worth_a_line(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    hall.events.drop()
    assert caplog.text == ""


@pytest.mark.parametrize("details", [{"worker_id": "w"}, {"seconds": 1.5}, {}])
def test_an_event_comes_out_as_it_went_in(details: dict[str, Any]) -> None:
    info = JobInfo(
        id=uuid4(),
        function="a\nb",
        queue="ü",
        priority=-3,
        attempt=2,
        round=1,
        max_attempts=3,
        worker_id="w",
        database="default",
    )
    event = Event("job_completed", info, details)
    assert batch_from_bytes(event.to_bytes()) == [event]


def test_what_is_put_back_takes_its_room_again(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "MOST_BYTES", 2 * len(each("a")))
    hall.add("a", "b")
    hall.born()
    hall.reads()
    hall.reports(1)
    hall.add("c", "d")
    hall.tend()
    assert hall.reads() == ["b", "c"]
