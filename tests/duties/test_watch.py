"""Leases are watched by a clock that nobody sets: whatever "now" does, only a lost worker's are over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_jobs.duties.watch import LeaseWatch
from django_jobs.engines.rows import Lease

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE, INTERVAL, RENEWAL = 60.0, 5.0, 15.0
HOURS = st.integers(-48, 48)


def after(seconds: float, *, hours: int = 0) -> datetime:
    """Return what a clock says that was right at noon and has been set by so many hours since."""
    return NOON + timedelta(seconds=seconds, hours=hours)


class Worker:
    """Renews its lease four times a lease, by whatever the clock says then."""

    def __init__(self) -> None:
        self.lease = Lease(7, after(LEASE))
        self._renewed = 0.0

    def live_until(self, moment: float, *, hours: int) -> None:
        """Renew if it is time."""
        if moment - self._renewed >= RENEWAL:
            self._renewed = moment
            self.lease = Lease(7, after(moment + LEASE, hours=hours))


def watch() -> LeaseWatch:
    """Return a watch that has seen nothing yet."""
    return LeaseWatch(lease=LEASE, interval=INTERVAL)


@given(st.lists(st.tuples(st.floats(0.1, RENEWAL), HOURS), min_size=1, max_size=200))
def test_the_lease_of_a_living_worker_is_never_over_however_the_clock_is_set(
    looks: list[tuple[float, int]],
) -> None:
    watched, worker, moment = watch(), Worker(), 1000.0
    for gap, hours in looks:
        moment += gap
        # The clock is set between the renewal and the look, too.
        worker.live_until(moment, hours=-hours)
        assert watched.look([worker.lease], now=after(moment, hours=hours), at=moment) == []


@given(st.lists(HOURS, min_size=20, max_size=20), st.floats(0, RENEWAL))
def test_that_of_a_lost_worker_is_over_a_lease_after_it_was_first_seen_however_the_clock_is_set(
    hours: list[int], first: float
) -> None:
    first += 1000
    watched, lost, moment = watch(), Lease(7, after(first + LEASE)), first
    assert watched.look([lost], now=after(first), at=moment) == []
    for each in hours:
        moment += min(INTERVAL, watched.wait)
        if found := watched.look([lost], now=after(moment, hours=each), at=moment):
            assert found == [lost]
            break
    assert first + LEASE <= moment <= first + LEASE + 0.001


def test_who_comes_later_watches_for_a_whole_lease_although_it_is_long_over() -> None:
    watched, lost = watch(), Lease(7, after(0))
    for moment in range(1000, 1060, 5):
        assert watched.look([lost], now=after(moment), at=moment) == []
        assert watched.suspects
    assert watched.look([lost], now=after(1060), at=1060) == [lost]


def test_a_longer_lease_than_ours_is_waited_for() -> None:
    watched, lost = watch(), Lease(7, after(1000 + 600))
    moments = range(1000, 1600, 5)
    assert [watched.look([lost], now=after(moment), at=moment) for moment in moments] == [[]] * len(moments)
    assert watched.look([lost], now=after(1600), at=1600) == [lost]


def test_one_that_was_written_just_before_the_clock_was_set_back_is_over_after_a_lease() -> None:
    watched, lost = watch(), Lease(7, after(1004 + LEASE))
    watched.look([], now=after(1000), at=1000)
    for moment in range(1005, 1065, 5):
        assert watched.look([lost], now=after(moment, hours=-1), at=moment) == []
    assert watched.look([lost], now=after(1065, hours=-1), at=1065) == [lost]


@pytest.mark.parametrize("hours", [1, 24 * 365 * 20])
def test_one_that_was_written_by_a_clock_that_was_ahead_is_waited_for_ten_leases(hours: int) -> None:
    watched, lost = watch(), Lease(7, after(1000 + LEASE, hours=hours))
    moments = range(1000, 1600, 5)
    assert [watched.look([lost], now=after(moment), at=moment) for moment in moments] == [[]] * len(moments)
    assert watched.look([lost], now=after(1600), at=1600) == [lost]


def test_time_in_which_nobody_looked_is_not_counted_in_full_so_that_owners_renew_first() -> None:
    watched, lease = watch(), Lease(7, after(1000 + LEASE))
    watched.look([lease], now=after(1000), at=1000)
    eight_hours_later = 1000.0 + 8 * 3600
    assert watched.look([lease], now=after(eight_hours_later), at=eight_hours_later) == []
    assert watched.wait == LEASE / 2


def test_what_is_good_is_not_suspected_and_what_is_gone_is_forgotten() -> None:
    watched = watch()
    watched.look([Lease(7, after(1000 + LEASE))], now=after(1000), at=1000)
    assert not watched.suspects
    assert watched.wait == LEASE
    assert watched.look([], now=after(1070), at=1070) == []
    assert watched.wait == float("inf")


@given(st.lists(st.tuples(st.floats(0.1, INTERVAL), HOURS, st.booleans()), min_size=1, max_size=300))
def test_that_of_a_living_worker_is_never_over_whoever_comes_goes_and_takes_notes(
    looks: list[tuple[float, int, bool]],
) -> None:
    watched, worker, moment = watch(), Worker(), 1000.0
    for gap, hours, begins_anew in looks:
        moment += gap
        watched = watch() if begins_anew else watched
        worker.live_until(moment, hours=-hours)
        assert watched.look([worker.lease], now=after(moment, hours=hours), at=moment) == []
        for note in watched.notes().values():
            worker.lease = Lease(7, note)


def test_who_comes_later_goes_on_where_another_ended() -> None:
    first, second, lost = watch(), watch(), Lease(7, after(0))
    for moment in (1000, 1005, 1010):
        assert first.look([lost], now=after(moment), at=moment) == []
        for note in first.notes().values():
            lost = Lease(7, note)
    assert second.look([lost], now=after(2000), at=2000) == []
    assert second.notes() == {}
    assert second.wait == LEASE - 10


def test_what_was_noted_is_watched_on_although_the_note_was_not_stored() -> None:
    watched, lost = watch(), Lease(7, after(0))
    for moment in range(1000, 1060, 5):
        assert watched.look([lost], now=after(moment), at=moment) == []
        watched.notes()
    assert watched.look([lost], now=after(1060), at=1060) == [lost]
