"""When each duty's turn comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from django_jobs.duties import Done
from django_jobs.worker import roster as roster_module
from django_jobs.worker.roster import DutyRoster

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Duty:
    """A duty that is never run here."""

    interval = 10.0

    def run(self, engine: Any, *, now: datetime) -> Done:
        raise AssertionError("the roster keeps times and runs no duty")


class Other(Duty):
    """Another one."""


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the time be 1,000 s."""
    now = [1000.0]
    monkeypatch.setattr(roster_module, "boottime", lambda: now[0])
    return now


def test_every_duty_is_due_at_first() -> None:
    duties = [Duty(), Other()]
    assert DutyRoster(duties).due() == duties


def test_without_duties_none_is_ever_due() -> None:
    assert DutyRoster([]).next_at == float("inf")


def test_a_duty_is_due_again_after_about_its_interval(clock: list[float]) -> None:
    duty = Duty()
    roster = DutyRoster([duty])
    roster.done(duty, Done(), now=NOW)
    assert roster.due() == []
    assert 1009 <= roster.next_at <= 1011
    clock[0] = 1011
    assert roster.due() == [duty]


@pytest.mark.parametrize(
    ("again_in", "at"), [(3, 1003.0), (0, 1000.0), (-100, 1000.0), (0.5, 1000.5)], ids=str
)
def test_a_duty_may_ask_for_an_earlier_turn(again_in: float, at: float) -> None:
    duty = Duty()
    roster = DutyRoster([duty])
    roster.done(duty, Done(again_at=NOW + timedelta(seconds=again_in)), now=NOW)
    assert roster.next_at == at


def test_no_duty_rests_longer_than_its_interval() -> None:
    duty = Duty()
    roster = DutyRoster([duty])
    roster.done(duty, Done(again_at=datetime.max.replace(tzinfo=UTC)), now=NOW)
    assert roster.next_at <= 1011


def test_only_duties_of_the_class_are_postponed_and_never_brought_forward() -> None:
    duty, other = Duty(), Other()
    roster = DutyRoster([duty, other])
    roster.postpone(Other, seconds=30)
    roster.postpone(Other, seconds=5)
    assert roster.due() == [duty]
    roster.done(duty, Done(), now=NOW)
    roster.postpone(Duty, seconds=100)
    assert roster.next_at == 1100


def test_what_a_duty_expects_is_expected_until_it_says_otherwise() -> None:
    duty, other = Duty(), Other()
    roster = DutyRoster([duty, other])
    assert not roster.expects
    roster.done(duty, Done(expects=True), now=NOW)
    roster.done(other, Done(), now=NOW)
    assert roster.expects
    roster.done(duty, Done(made_ready=True), now=NOW)
    assert not roster.expects


def test_the_duty_that_is_due_longest_comes_first_whatever_is_hastened(clock: list[float]) -> None:
    duty, other = Duty(), Other()
    roster = DutyRoster([duty, other])
    roster.done(duty, Done(), now=NOW)
    clock[0] = 1020
    roster.hasten(Duty)
    assert roster.due() == [other, duty]
