"""How far ahead a worker works."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from django_jobs.worker.pace import AHEAD_MOST, BUFFER_MOST, GATHER_SHARE, PAYLOADS_MOST, Pace


def _pace(*, slots: int = 2, seconds: float, payload: int = 100, runs: int = 200) -> Pace:
    pace = Pace(slots=slots)
    for _ in range(runs):
        pace.observe(seconds=seconds, payload=payload)
    return pace


def test_before_the_first_run_a_slot_holds_one_job() -> None:
    pace = Pace(slots=3)
    assert (pace.out, pace.held) == (3, 3)


def test_long_jobs_are_not_held_ahead() -> None:
    pace = _pace(seconds=1.0)
    assert (pace.out, pace.held) == (2, 2)


def test_short_jobs_are_held_ahead_up_to_the_most() -> None:
    pace = _pace(seconds=0.00001)
    assert pace.out == 2 * (1 + AHEAD_MOST)
    assert pace.held == 2 * (1 + AHEAD_MOST + BUFFER_MOST)


def test_one_short_run_among_long_ones_changes_little() -> None:
    pace = _pace(seconds=1.0)
    pace.observe(seconds=0.0, payload=100)
    assert pace.out == 2


def test_large_payloads_are_not_held_beyond_what_memory_allows() -> None:
    payload = 256 * 1024
    pace = _pace(slots=8, seconds=0.0001, payload=payload)
    assert (pace.held - 8) * payload <= PAYLOADS_MOST * 1.01
    assert pace.out <= pace.held


def test_of_long_jobs_each_end_is_a_batch_and_of_short_ones_a_share_of_what_is_held() -> None:
    assert Pace(slots=3).batch == _pace(seconds=1.0).batch == 1
    short = _pace(seconds=0.00001)
    assert short.batch == short.held // GATHER_SHARE


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 2**30)), max_size=30),
    st.integers(1, 1000),
)
def test_every_slot_always_has_one_and_the_buffer_comes_on_top(
    runs: list[tuple[float, int]], slots: int
) -> None:
    pace = Pace(slots=slots)
    for seconds, payload in runs:
        pace.observe(seconds=seconds, payload=payload)
    assert slots <= pace.out <= pace.held
