"""Policies say how long to wait, never overflow, and survive the row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_jobs import exponential, fixed, linear, steps
from django_jobs.policies import CEILING, from_json, to_json

SECONDS = st.floats(0, CEILING)
CAPS = st.none() | SECONDS
POLICIES = st.one_of(
    st.builds(fixed, SECONDS, jitter=st.booleans()),
    st.builds(steps, st.lists(SECONDS, min_size=1).map(tuple), jitter=st.booleans()),
    st.builds(linear, SECONDS, cap=CAPS, jitter=st.booleans()),
    st.builds(exponential, SECONDS, factor=st.floats(1, 1000), cap=CAPS, jitter=st.booleans()),
)


def delays(policy: Any, attempts: int = 5) -> list[float]:
    return [policy.delay(number) for number in range(1, attempts + 1)]


def test_fixed_waits_the_same_time_before_each_retry() -> None:
    assert delays(fixed(7)) == [7, 7, 7, 7, 7]


def test_steps_repeat_the_last_one() -> None:
    assert delays(steps((10, 30, 60))) == [10, 30, 60, 60, 60]


def test_linear_grows_by_its_step_up_to_its_cap() -> None:
    assert delays(linear(5, cap=18)) == [5, 10, 15, 18, 18]


def test_exponential_grows_by_its_factor_up_to_its_cap() -> None:
    assert delays(exponential(2, factor=3, cap=100)) == [2, 6, 18, 54, 100]


def test_exponential_may_begin_above_its_cap_or_at_nothing() -> None:
    assert delays(exponential(50, cap=20), 2) == [20, 20]
    assert delays(exponential(0), 2) == [0, 0]
    assert delays(exponential(5, cap=0), 2) == [0, 0]


@given(POLICIES, st.integers(1, 2**40))
def test_no_delay_overflows_or_exceeds_a_year(policy: Any, number: int) -> None:
    assert 0 <= policy.delay(number) <= CEILING


@given(POLICIES)
def test_a_policy_comes_back_from_json(policy: Any) -> None:
    assert from_json(to_json(policy)) == policy


def test_jitter_stays_in_the_upper_half_and_varies() -> None:
    drawn = {fixed(100, jitter=True).delay(1) for _ in range(100)}
    assert len(drawn) > 1
    assert 50 <= min(drawn) <= max(drawn) <= 100


@pytest.mark.parametrize(
    "make",
    [
        lambda: fixed(-1),
        lambda: fixed(float("nan")),
        lambda: steps(()),
        lambda: steps((1, -1)),
        lambda: steps("123"),  # type: ignore[arg-type]
        lambda: linear("5"),  # type: ignore[arg-type]
        lambda: linear(5, cap=-1),
        lambda: exponential(CEILING * 2),
        lambda: exponential(1, factor=0.5),
        lambda: exponential(1, factor=float("inf")),
        lambda: exponential(1, factor="2"),  # type: ignore[arg-type]
        lambda: exponential(1, jitter="yes"),  # type: ignore[arg-type]
    ],
)
def test_a_bad_value_is_a_value_error(make: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        make()
