"""What wakes a worker, and how often."""

from __future__ import annotations

from collections.abc import Set
from typing import Any
from unittest import mock

import pytest

from django_jobs.engines.listening import ANY_QUEUE, Listener
from django_jobs.worker import waking as rests
from django_jobs.worker.queue_list import QueueList
from django_jobs.worker.waking import AT_ONCE, REST, Waking
from tests.worker.fake_engine import FakeEngine, FakeListener


def _waking(ear: Listener, **queues: Any) -> tuple[Waking, FakeEngine]:
    engine = FakeEngine()
    engine.ear = ear
    return Waking(engine, queues=QueueList(**queues)), engine  # type: ignore[arg-type]


def _heard(waking: Waking) -> Set[str]:
    """Ask as if the last rest were over."""
    waking._paid_until = 0.0
    return waking.heard()


def test_the_listener_is_opened_when_first_asked_and_what_came_before_is_looked_for() -> None:
    waking, engine = _waking(FakeListener(set()))
    assert (waking.fileno(), engine.calls) == (None, [])
    assert waking.heard()
    assert engine.calls == ["listener"]
    assert not _heard(waking)
    assert engine.calls == ["listener"]


def test_the_listener_says_how_often_to_poll() -> None:
    waking, _ = _waking(FakeListener(set()))
    assert waking.poll_interval == Listener.poll_interval
    waking.heard()
    assert waking.poll_interval == FakeListener.poll_interval


def test_after_a_wake_up_neither_descriptor_nor_listener_is_asked_for_a_while() -> None:
    ear = FakeListener({ANY_QUEUE}, fd=5)
    waking, _ = _waking(ear)
    waking.heard()
    assert _heard(waking)
    waking._paid_until = float("inf")
    asked = ear.asked
    assert not waking.heard()
    assert (ear.asked, waking.fileno(), waking.next_at) == (asked, None, float("inf"))
    waking._paid_until = 0.0
    assert waking.fileno() == 5


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> mock.Mock:
    """Return a clock that stands still until it is set."""
    clock = mock.Mock(return_value=1000.0)
    monkeypatch.setattr(rests, "boottime", clock)
    return clock


def test_some_wake_ups_are_heard_as_they_come_and_then_one_each_so_often(now: mock.Mock) -> None:
    waking, _ = _waking(FakeListener({ANY_QUEUE}))
    assert all(waking.heard() for _ in range(AT_ONCE))
    assert not waking.heard()
    assert waking.next_at == pytest.approx(now() + REST)
    for _ in range(3):
        now.return_value = waking.next_at
        assert waking.heard()
        assert not waking.heard()
    now.return_value += AT_ONCE * REST
    assert all(waking.heard() for _ in range(AT_ONCE))


@pytest.mark.parametrize(
    ("served", "news", "wakes"),
    [
        ({"names": ["mail"]}, {"mail"}, {"mail"}),
        ({"names": ["mail"]}, {"other"}, set()),
        ({"names": ["mail"]}, {"other", ANY_QUEUE}, {ANY_QUEUE}),
        ({"exclude": ["mail"]}, {"mail"}, set()),
        ({"exclude": ["mail"]}, {"mail", "other"}, {"other"}),
        ({}, {"mail"}, {"mail"}),
        ({}, set(), set()),
    ],
)
def test_only_queues_that_are_served_wake(served: dict[str, Any], news: set[str], wakes: set[str]) -> None:
    waking, _ = _waking(FakeListener(news), **served)
    waking.heard()
    assert _heard(waking) == wakes


@pytest.mark.parametrize(
    ("recent", "news", "wakes"),
    [
        ({"mail", "other"}, {"other"}, set()),
        ({ANY_QUEUE}, {"other"}, set()),
        ({"mail", "other", "post"}, {"mail"}, {"mail", "post"}),
        ({ANY_QUEUE, "mail"}, {"mail"}, {ANY_QUEUE}),
    ],
)
def test_news_of_a_moment_ago_are_told_with_new_ones_and_wake_nobody_alone(
    recent: set[str], news: set[str], wakes: set[str]
) -> None:
    ear = FakeListener(news)
    ear.recent = recent
    waking, _ = _waking(ear, names=["mail", "post"])
    waking.heard()
    assert _heard(waking) == wakes


def test_a_listener_that_dies_is_said_once_and_opened_again_later(caplog: pytest.LogCaptureFixture) -> None:
    ear = FakeListener(set())
    waking, engine = _waking(ear)
    caplog.set_level("INFO", "django_jobs")
    waking.heard()
    ear.fails = OSError("cut off")
    assert _heard(waking)  # something may have been lost
    assert (ear.closed, waking.fileno(), waking.poll_interval) == (1, None, Listener.poll_interval)
    assert not _heard(waking)
    assert engine.calls == ["listener"]
    engine.fails = {"listener": OSError("still cut off")}
    waking._open_at = 0.0
    assert _heard(waking)
    assert waking.next_at > 0
    assert caplog.text.count("do not wake") == 1
    assert "cut off" in caplog.text
    ear.fails, engine.fails = None, {}
    waking._open_at = 0.0
    assert _heard(waking)
    assert waking.poll_interval == FakeListener.poll_interval
    assert caplog.text.count("wake this worker again") == 1


def test_a_listener_that_has_lost_its_descriptor_has_died(monkeypatch: pytest.MonkeyPatch) -> None:
    ear = FakeListener(set(), fd=5)
    waking, _ = _waking(ear)
    waking.heard()
    waking._paid_until = 0.0
    monkeypatch.setattr(ear, "fileno", mock.Mock(side_effect=OSError("the connection is lost")))
    assert waking.fileno() is None
    assert (ear.closed, waking.listens) == (1, False)
    assert waking.next_at > 0


def test_the_pauses_grow_up_to_a_minute() -> None:
    waking, engine = _waking(Listener())
    engine.fails = {"listener": OSError("no")}
    pauses = []
    for _ in range(8):
        waking._open_at = 0.0
        waking.heard()
        pauses.append(waking._pause)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_closing_is_borne_twice_and_asking_opens_again() -> None:
    ear = FakeListener(set())
    waking, engine = _waking(ear)
    waking.close()
    waking.heard()
    waking.close()
    waking.close()
    assert ear.closed == 1
    assert waking.heard()
    assert engine.calls == ["listener"] * 2
