"""Options are known by name, checked where they are given, and resolved by who is nearest."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_jobs import SerializationError, UnknownOption, exponential, fixed, linear, steps
from django_jobs.options import (
    CALL,
    DECORATOR,
    SETTINGS,
    Options,
    StoredOptions,
    interrupting_soft_timeout,
    result_ttl,
)
from tests.jobs import send


class OwnError(Exception):
    pass


def of(place: str = DECORATOR, **values: Any) -> Options:
    return Options.of(values, place=place)


def test_the_defaults_are_the_documented_ones() -> None:
    options = of()
    assert (options.queue, options.priority, options.max_attempts) == ("default", 0, 3)
    assert (options.timeout, options.retry_delay) == (300, fixed(0))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"soft_timeout": 30, "timeout": 30}, r"soft_timeout \(30 s\) must be less than timeout \(30 s\)"),
        ({"soft_timeout": 400}, r"timeout \(300 s, which is the default: give timeout= as well\)"),
        ({"soft_timeout_raises": True}, "says nothing without a soft_timeout"),
    ],
)
@pytest.mark.parametrize("place", [DECORATOR, SETTINGS])
def test_a_soft_limit_that_could_never_come_is_refused(place: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        of(place, **values)


def test_a_call_is_judged_together_with_its_function() -> None:
    assert send.using(soft_timeout=25).options.soft_timeout == 25
    assert send.using(soft_timeout=400, timeout=None).options.soft_timeout == 400
    with pytest.raises(ValueError, match="must be less than timeout"):
        send.using(soft_timeout=30)
    with pytest.raises(ValueError, match="must be less than timeout"):
        send.using(soft_timeout=25).using(timeout=20)


def test_soft_limits_travel_with_the_row() -> None:
    stored = of(soft_timeout=25, soft_timeout_raises=True).stored()
    loaded = StoredOptions.load(stored)
    assert (loaded.soft_timeout, loaded.soft_timeout_raises) == (25, True)
    assert interrupting_soft_timeout(stored) == 25
    for quiet in (None, of(soft_timeout=25).stored(), '{"soft_timeout_raises"', 7):
        assert interrupting_soft_timeout(quiet) is None


def test_an_unknown_option_is_a_type_error_that_lists_the_valid_ones() -> None:
    with pytest.raises(
        TypeError, match=r"unknown option: prioritty \(valid are: .*priority, queue"
    ) as caught:
        of(prioritty=1)
    assert isinstance(caught.value, UnknownOption)


@pytest.mark.parametrize(
    ("place", "values"),
    [
        (DECORATOR, {"run_after": timedelta(1)}),
        (CALL, {"name": "a.b"}),
        (SETTINGS, {"name": "a.b"}),
        (SETTINGS, {"run_after": timedelta(1)}),
    ],
)
def test_an_option_at_the_wrong_place_is_refused_and_says_where_it_belongs(
    place: str, values: dict[str, Any]
) -> None:
    with pytest.raises(UnknownOption, match=r"known to (using\(\)|@job) only"):
        Options.of(values, place=place)


def test_max_retries_is_one_less_than_max_attempts() -> None:
    assert of(max_retries=0).max_attempts == 1
    assert of(max_retries=4, max_attempts=5).max_attempts == 5


def test_max_retries_and_max_attempts_that_disagree_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="max_attempts=3 and max_retries=3 disagree"):
        of(max_retries=3, max_attempts=3)


@pytest.mark.parametrize(
    "values",
    [
        {"queue": 7},
        {"queue": ""},
        {"queue": "a,b"},
        {"queue": "mail*"},
        {"queue": "nul\0"},
        {"queue": "q" * 101},
        {"priority": 1.5},
        {"priority": True},
        {"priority": 40_000},
        {"max_attempts": 0},
        {"max_attempts": 32_768},
        {"max_retries": -1},
        {"max_retries": None},
        {"timeout": 0},
        {"soft_timeout": 0},
        {"soft_timeout": "30"},
        {"soft_timeout_raises": 1},
        {"timeout": -1},
        {"timeout": float("inf")},
        {"timeout": "30"},
        {"retry_on": 5},
        {"retry_on": ["not a name"]},
        {"dont_retry_on": (int,)},
        {"result_ttl": 0},
        {"result_ttl": -1},
        {"result_ttl": timedelta(0)},
        {"result_ttl": timedelta.max},
        {"result_ttl": float("nan")},
        {"result_ttl": "60"},
        {"result_ttl": True},
        {"max_memory": 1.5},
        {"max_memory": True},
        {"max_memory": 512},
        {"max_memory": "512"},
        {"max_memory": "lots"},
        {"max_memory": 2**51},
        {"description": 5},
        {"description": "x" * 501},
        {"name": "two words"},
    ],
)
def test_a_wrong_value_is_refused_by_the_options_name(values: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(values))):
        Options.of(values, place=DECORATOR)


@pytest.mark.parametrize(
    "value", [-1, float("nan"), float("inf"), True, "5", None, [], [1, -1], [1, "2"], {}, 10**9]
)
def test_a_bad_retry_delay_is_a_value_error(value: object) -> None:
    with pytest.raises(ValueError, match=r"delay|jitter"):
        of(retry_delay=value)


def test_a_retry_callable_must_take_the_exception_and_the_job() -> None:
    with pytest.raises(ValueError, match=r"takes \(exception, job\)"):
        of(retry_delay=lambda exception: 5)


def test_a_retry_callable_must_be_a_plain_function() -> None:
    async def later(exception: BaseException, job: object) -> int:
        return 5

    with pytest.raises(ValueError, match="coroutine"):
        of(retry_delay=later)


@pytest.mark.parametrize("place", [CALL, SETTINGS])
def test_a_retry_callable_can_be_given_at_decoration_only(place: str) -> None:
    with pytest.raises(TypeError, match="@job only"):
        of(place, retry_delay=lambda exception, job: 5)


def test_exceptions_are_kept_by_their_dotted_names() -> None:
    options = of(retry_on=ValueError, dont_retry_on=[OwnError, "requests.exceptions.Timeout"])
    assert options.retry_on == ("ValueError",)
    assert options.dont_retry_on == ("tests.test_options.OwnError", "requests.exceptions.Timeout")


def test_an_aware_run_after_is_kept_in_utc() -> None:
    berlin = datetime(2030, 1, 1, 12, tzinfo=timezone(timedelta(hours=1)))
    assert of(CALL, run_after=berlin).run_after == datetime(2030, 1, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (datetime(2030, 1, 1), ValueError),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), ValueError),
        (datetime.max.replace(tzinfo=UTC), ValueError),
        (30, TypeError),
        ("tomorrow", TypeError),
    ],
)
def test_a_run_after_that_is_no_moment_is_refused(value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="run_after"):
        of(CALL, run_after=value)


def test_a_call_wins_over_the_decorator_over_the_settings_over_the_defaults(settings: Any) -> None:
    settings.DJANGO_JOBS = {"DEFAULT_OPTIONS": {"queue": "s", "priority": 1, "timeout": 10}}
    resolved = of(CALL, queue="c").over(of(queue="d", priority=2)).resolved()
    assert (resolved.queue, resolved.priority, resolved.timeout, resolved.max_attempts) == ("c", 2, 10, 3)


def test_a_default_given_at_the_call_wins_over_the_decorator() -> None:
    assert of(CALL, priority=0).over(of(priority=9)).resolved().priority == 0


def test_wrong_default_options_say_that_the_settings_are_wrong(settings: Any) -> None:
    settings.DJANGO_JOBS = {"DEFAULT_OPTIONS": {"queue": "a b"}}
    with pytest.raises(ImproperlyConfigured, match=r'DJANGO_JOBS\["DEFAULT_OPTIONS"\]: queue must be'):
        of().resolved()


def test_plain_options_store_nothing() -> None:
    assert of(queue="mail", priority=5, max_attempts=9, timeout=None).stored() is None


@pytest.mark.parametrize(
    "policy",
    [
        7,
        [10, 30, 60],
        steps((1, 2), jitter=True),
        linear(5, cap=50),
        exponential(2, factor=3, cap=600, jitter=True),
    ],
)
def test_a_numeric_policy_comes_back_from_the_row(policy: Any) -> None:
    options = of(retry_delay=policy)
    assert StoredOptions.load(options.stored()).retry_delay == options.retry_delay


def test_names_and_description_come_back_from_the_row() -> None:
    class Local(Exception):
        pass

    options = of(retry_on=(), dont_retry_on=(Local, KeyError), description="nightly")
    stored = StoredOptions.load(options.stored())
    assert stored.retry_on == ()
    assert stored.dont_retry_on == (f"{__name__}.{Local.__qualname__}", "KeyError")
    assert stored.description == "nightly"


def test_a_callable_is_stored_as_a_mark_that_no_number_is_known() -> None:
    assert StoredOptions.load(of(retry_delay=lambda exception, job: 5).stored()).retry_delay is None


def test_no_delay_given_at_the_call_replaces_a_callable_of_the_decorator() -> None:
    options = of(CALL, retry_delay=0).over(of(retry_delay=lambda exception, job: 5))
    assert StoredOptions.load(options.stored()).retry_delay == fixed(0)


def test_unknown_stored_keys_are_those_of_newer_versions_and_ignored() -> None:
    assert StoredOptions.load(json.dumps({"colour": "red", "description": "x"})).description == "x"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "5",
        '{"retry_delay": [1]}',
        '{"retry_delay": {"policy": []}}',
        '{"retry_delay": {"policy": "never"}}',
        '{"retry_delay": {"policy": "fixed", "x": 1}}',
        '{"retry_on": 5}',
        '{"max_memory": "512M"}',
        '{"max_memory": 0}',
        '{"max_memory": 9223372036854775808}',
    ],
)
def test_corrupt_stored_options_are_a_serialization_error(text: str) -> None:
    with pytest.raises(SerializationError, match="stored options"):
        StoredOptions.load(text)


@pytest.mark.parametrize(("given", "seconds"), [(60, 60.0), (0.5, 0.5), (timedelta(hours=1), 3600.0)])
@pytest.mark.parametrize("place", [DECORATOR, CALL, SETTINGS])
def test_a_result_ttl_comes_back_from_the_row_in_seconds(place: str, given: Any, seconds: float) -> None:
    stored = of(place, result_ttl=given).stored()
    assert StoredOptions.load(stored).result_ttl == seconds
    assert result_ttl(stored) == seconds


@pytest.mark.parametrize("given", ["512M", 512 * 2**20])
@pytest.mark.parametrize("place", [DECORATOR, CALL, SETTINGS])
def test_a_limit_on_memory_comes_back_from_the_row_in_bytes(place: str, given: Any) -> None:
    assert StoredOptions.load(of(place, max_memory=given).stored()).max_memory == 512 * 2**20


def test_no_result_ttl_given_at_the_call_replaces_that_of_the_decorator() -> None:
    assert of(CALL, result_ttl=None).over(of(result_ttl=5)).stored() is None


@pytest.mark.parametrize(
    "text",
    [None, "{}", '{"result_ttl": null}', '{"result_ttl": -1}', '{"result_ttl"', 7, b'{"result_ttl": 5}'],
)
def test_a_row_that_tells_no_result_ttl_has_none(text: Any) -> None:
    assert result_ttl(text) is None


@pytest.mark.parametrize("given", ["jsn", "", "a-b.C", "shop..C", 3, None])
def test_a_serializer_that_could_be_none_is_refused_where_it_is_written(given: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="serializer must be 'json', 'cloudpickle' or "):
        of(serializer=given)


@pytest.mark.parametrize("place", [DECORATOR, CALL, SETTINGS])
def test_a_serializer_is_named_at_any_place_and_needs_no_room_in_the_row(place: str) -> None:
    for given in ("json", "cloudpickle", "shop.packing.MessagePack"):
        assert of(place, serializer=given).serializer == given
        assert of(place, serializer=given).stored() is None
