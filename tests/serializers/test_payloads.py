"""Arguments fit the signature and the limit; a result over its limit leaves a beginning."""

from __future__ import annotations

import inspect
import threading
from typing import Any

import pytest

from django_jobs import PayloadTooLarge, ResultTooLarge, SerializationError
from django_jobs.serializers import Owner, dump_args, dump_result, load_args, load_result
from django_jobs.uuid7 import uuid7

OWNER = Owner(uuid7(), "shop.send")


def function(order: Any, *lines: Any, note: Any = "", **extra: Any) -> None: ...


def dump(*args: Any, **kwargs: Any) -> str:
    return dump_args(inspect.signature(function), OWNER, args, kwargs)


def strict(number: int) -> None: ...


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "missing a required argument: 'number'"),
        ((1, 2), {}, "too many positional arguments"),
        ((1,), {"nubmer": 2}, "got an unexpected keyword argument 'nubmer'"),
        ((1,), {"number": 2}, "multiple values for argument 'number'"),
    ],
)
def test_arguments_that_do_not_fit_name_function_and_parameter(
    args: tuple[Any, ...], kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=rf"^shop\.send\(number: .*\).*: {message}"):
        dump_args(inspect.signature(strict), OWNER, args, kwargs)


def test_arguments_are_stored_as_given() -> None:
    text = dump(1, 2, note="n", colour="red")
    assert text == '{"args":[1,2],"kwargs":{"note":"n","colour":"red"}}'
    assert load_args(text, OWNER) == ([1, 2], {"note": "n", "colour": "red"})


def test_keyword_arguments_that_look_like_a_tag_come_back() -> None:
    assert load_args(dump(1, **{"$uuid": 5}), OWNER) == ([1], {"$uuid": 5})


@pytest.mark.parametrize(
    ("args", "kwargs", "place"),
    [
        (({1},), {}, r"order is a set"),
        ((1, 2, {"a": {1}}), {}, r"lines\[1\]\['a'\] is a set"),
        ((1,), {"note": threading.Lock()}, "note is a lock"),
        ((1,), {"file": {1}}, r"extra\['file'\] is a set"),
    ],
)
def test_an_argument_that_cannot_be_stored_is_named(
    args: tuple[Any, ...], kwargs: dict[str, Any], place: str
) -> None:
    with pytest.raises(
        SerializationError, match=rf"^shop\.send: the argument {place}, which JSON cannot store$"
    ):
        dump(*args, **kwargs)


def test_the_payload_limit_counts_bytes_and_says_the_size(settings: Any) -> None:
    settings.DJANGO_JOBS = {"MAX_PAYLOAD": 100}
    overhead = len(dump(""))
    assert dump("x" * (100 - overhead))
    with pytest.raises(PayloadTooLarge, match=r"take 101 bytes, the limit MAX_PAYLOAD is 100"):
        dump("x" * (101 - overhead))
    with pytest.raises(PayloadTooLarge):
        dump("ü" * (100 - overhead))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"args":[]}', '{"args":{},"kwargs":{}}', '{"args":[],"kwargs":[]}']
)
def test_corrupt_arguments_are_a_serialization_error(text: str) -> None:
    with pytest.raises(SerializationError, match="cannot be read"):
        load_args(text, OWNER)


def test_no_result_is_stored_as_none() -> None:
    assert dump_result(None, OWNER) is None
    assert load_result(None, OWNER) is None


@pytest.mark.parametrize("value", [0, "", [], {"$too_large": {"size": 1, "preview": ""}}, (1, 2)])
def test_a_result_comes_back(value: Any) -> None:
    assert load_result(dump_result(value, OWNER), OWNER) == value


def test_a_result_that_cannot_be_stored_is_refused() -> None:
    with pytest.raises(SerializationError, match=r"^the result cannot be stored: \['a'\] is a set"):
        dump_result({"a": {1}}, OWNER)


def test_a_result_over_the_limit_leaves_its_size_and_beginning(settings: Any) -> None:
    settings.DJANGO_JOBS = {"MAX_RESULT": 1000}
    text = dump_result("é" * 5000, OWNER)
    assert text is not None
    assert len(text) < 5000
    with pytest.raises(ResultTooLarge) as caught:
        load_result(text, OWNER)
    assert (caught.value.job_id, caught.value.size) == (OWNER.id, 10_002)
    assert caught.value.preview.startswith('"ééé')


@pytest.mark.parametrize(
    "text",
    [
        "{", '{"$too_large"', '{"$too_large": 5}', '{"$too_large": {}}', "\0",
        '{"$too_large": {"size": 1e999, "preview": ""}}', '{"$too_large": ' + "[" * 100_000,
    ],
)  # fmt: skip
def test_a_corrupt_result_is_a_serialization_error(text: str) -> None:
    with pytest.raises(SerializationError):
        load_result(text, OWNER)
