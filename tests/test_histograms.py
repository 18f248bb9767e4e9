"""Durations by size: where a bucket ends, what a percentile says, what is stored."""

from __future__ import annotations

import random

import pytest

from django_jobs.histograms import Histogram, bounds, bucket


def filled(*seconds: float) -> Histogram:
    histogram = Histogram()
    histogram.add(seconds)
    return histogram


@pytest.mark.parametrize(
    ("seconds", "number"),
    [
        (-5, 0),
        (0, 0),
        (0.000999, 0),
        (0.001, 1),
        (0.00199, 1),
        (0.002, 2),
        (1.0, 10),
        (3600, 22),
        (3.2e7, 35),
    ],
)
def test_a_bucket_is_a_power_of_two_milliseconds(seconds: float, number: int) -> None:
    assert bucket(seconds) == number


@pytest.mark.parametrize("seconds", [-1, 0, 0.0009, 0.001, 0.5, 60])
def test_what_is_counted_falls_into_its_bucket(seconds: float) -> None:
    assert filled(seconds).counts == {bucket(seconds): 1}


@pytest.mark.parametrize("number", range(1, 36))
def test_bounds_and_buckets_say_the_same(number: int) -> None:
    low, high = bounds(number)
    assert (bucket(low), bucket(high)) == (number, number + 1)
    assert bounds(number - 1)[1] == low


def test_the_text_names_only_buckets_that_are_not_empty_and_reads_back() -> None:
    histogram = filled(0.0005, 0.002, 0.003, 5.0)
    assert histogram.to_json() == '{"0":1,"2":2,"13":1}'
    again = Histogram.from_json(histogram.to_json(), histogram.seconds)
    assert (again.counts, again.seconds, again.count) == (histogram.counts, histogram.seconds, 4)


def test_nothing_has_no_mean_and_no_percentile() -> None:
    assert (Histogram().mean, Histogram().percentile(50)) == (None, None)


def test_the_mean_is_exact() -> None:
    assert filled(1, 2, 6).mean == 3


def test_a_negative_duration_counts_as_none() -> None:
    assert filled(-1, 1).mean == 0.5


@pytest.mark.parametrize("percent", [1, 50, 95, 99, 100])
def test_a_percentile_is_right_by_a_factor_of_two(percent: int) -> None:
    chance = random.Random(percent)
    durations = sorted(chance.lognormvariate(-1, 2) for _ in range(1000))
    true = durations[len(durations) * percent // 100 - 1]
    found = filled(*durations).percentile(percent)
    assert found is not None
    assert bucket(found * 0.999999) == bucket(true)


def test_a_percentile_lies_between_the_bounds_as_far_as_runs_do() -> None:
    assert filled(*[0.010] * 4).percentile(50) == pytest.approx(0.012)
    assert filled(*[0.010] * 4).percentile(100) == pytest.approx(0.016)


def test_merged_histograms_count_what_both_did() -> None:
    both = filled(0.001, 4.0)
    both.merge(filled(0.001, 9.0))
    assert (both.counts, both.seconds) == ({1: 2, 12: 1, 14: 1}, pytest.approx(13.002))


def test_a_copy_goes_on_by_itself() -> None:
    first = filled(1)
    second = first.copy()
    second.add([1])
    assert (first.count, second.count) == (1, 2)
