"""Settings and code say which serializers there are; whatever one of them does wrong is told plainly."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_jobs import PayloadTooLarge, ResultTooLarge, SerializationError
from django_jobs.serializers import Owner, dump_args, dump_result, formats, load_args, load_result, parcels
from django_jobs.uuid7 import uuid7
from tests.serializers.making import PLACE

OWNER = Owner(uuid7(), "shop.send")


def function(order: Any, *lines: Any, note: Any = "", **extra: Any) -> None: ...


def dump(*args: Any, serializer: str, **kwargs: Any) -> str:
    return dump_args(inspect.signature(function), OWNER, args, kwargs, serializer=serializer)


@pytest.fixture(autouse=True)
def _switched_on(settings: Any) -> None:
    names = [f"{PLACE}{name}" for name in ("Marshal", "Text", "Angry", "Pairs")]
    settings.DJANGO_JOBS = {"SERIALIZERS": ["cloudpickle", *names]}


@pytest.mark.parametrize("serializer", ["cloudpickle", f"{PLACE}Marshal"])
def test_what_no_text_holds_comes_back(serializer: str) -> None:
    value = {1: b"\xff\x00", "s": {2, 3}}
    text = dump(value, 2, serializer=serializer, note=b"n")
    assert text.isascii()
    assert load_args(text, OWNER) == ([value, 2], {"note": b"n"})
    result = dump_result(value, OWNER, like=text)
    assert result is not None
    assert parcels.parse(result).format == parcels.parse(text).format
    assert load_result(result, OWNER) == value


def test_a_result_is_stored_as_the_arguments_were() -> None:
    assert dump_result([1], OWNER, like=dump(1, serializer="json")) == "[1]"


@pytest.mark.parametrize("serializer", ["cloudpickle", f"{PLACE}Marshal"])
def test_one_that_is_not_switched_on_neither_stores_nor_loads(settings: Any, serializer: str) -> None:
    text = dump(1, serializer=serializer)
    result = dump_result(1, OWNER, like=text)
    settings.DJANGO_JOBS = {}
    said = r"the serializer '\w+' is not switched on for shop\.send: name it in its @job"
    for call in (
        lambda: dump(1, serializer=serializer),
        lambda: load_args(text, OWNER),
        lambda: dump_result(1, OWNER, like=text),
        lambda: load_result(result, OWNER),
    ):
        with pytest.raises(SerializationError, match=said):
            call()


def test_the_projects_default_is_switched_on(settings: Any) -> None:
    settings.DJANGO_JOBS = {"DEFAULT_OPTIONS": {"serializer": f"{PLACE}Marshal"}}
    assert load_args(dump(b"x", serializer=f"{PLACE}Marshal"), OWNER) == ([b"x"], {})
    assert sorted(formats.accepted("shop.send")) == ["json", "marshal"]


@pytest.mark.parametrize(
    ("serializer", "args", "kwargs", "said"),
    [
        ("Marshal", (1, object()), {}, r"lines\[0\] is refused by marshal: ValueError: unmarshallable"),
        ("Marshal", (1,), {"file": object()}, r"extra\['file'\] is refused by marshal: ValueError"),
        (
            "Angry",
            ([1],),
            {},
            r"order is refused by angry: .*\.PermissionDenied: no lists",
        ),
        ("Text", (1,), {}, "order cannot be stored: text made str of it, not bytes"),
    ],
)
def test_whatever_a_serializer_raises_names_the_argument(
    serializer: str, args: Any, kwargs: Any, said: str
) -> None:
    with pytest.raises(SerializationError, match=rf"^shop\.send: the argument {said}"):
        dump(*args, serializer=f"{PLACE}{serializer}", **kwargs)


def test_whatever_it_raises_when_it_loads_is_a_serialization_error() -> None:
    text = dump(0, serializer=f"{PLACE}Angry")
    with pytest.raises(SerializationError, match=r"what angry has stored cannot be read: .*: never"):
        load_args(text, OWNER)
    with pytest.raises(SerializationError, match="they lack args or kwargs"):
        load_args(dump(0, serializer=f"{PLACE}Pairs"), OWNER)
    with pytest.raises(SerializationError, match=r"the result cannot be stored: .* refused by angry"):
        dump_result([1], OWNER, like=text)


def test_limits_count_the_serializers_own_bytes(settings: Any) -> None:
    size = parcels.parse(dump("x" * 100, serializer="cloudpickle")).size
    settings.DJANGO_JOBS = {"SERIALIZERS": ["cloudpickle"], "MAX_PAYLOAD": size, "MAX_RESULT": 200}
    text = dump("x" * 100, serializer="cloudpickle")
    with pytest.raises(PayloadTooLarge, match=f"take {size + 1} bytes, the limit MAX_PAYLOAD is {size}"):
        dump("x" * 101, serializer="cloudpickle")
    assert load_result(dump_result("x" * 150, OWNER, like=text), OWNER) == "x" * 150
    large = dump_result("x" * 300, OWNER, like=text)
    assert large is not None
    with pytest.raises(ResultTooLarge, match=r"bytes and was not stored$") as caught:
        load_result(large, OWNER)
    assert (caught.value.size > 300, caught.value.preview) == (True, "")
    assert "xx" not in large


def test_the_beginning_of_a_result_nobody_may_see_is_not_kept(settings: Any) -> None:
    settings.DJANGO_JOBS = {"MAX_RESULT": 10}
    assert "s3cr3t" in str(dump_result("s3cr3t-0123", OWNER))
    assert "s3cr3t" not in str(dump_result("s3cr3t-0123", OWNER, preview=False))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("no.such.Thing", "cannot be had: No module named 'no'"),
        (f"{PLACE}Missing", "cannot be had: .*Missing"),
        (f"{PLACE}Demanding", "cannot be had: .*missing 1 required positional argument"),
        (f"{PLACE}Nameless", "is no serializer: its name must be 1 to 40 of a-z"),
        (f"{PLACE}Loud", "is no serializer: its name must be"),
        (f"{PLACE}Impostor", "its name is 'cloudpickle', which is one of ours"),
        (f"{PLACE}Mute", r"it lacks dumps\(value\) -> bytes or loads\(bytes\) -> value"),
    ],
)
def test_a_class_that_is_no_serializer_is_refused_with_the_reason(given: str, said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        formats.serializer_of(given)
