"""cloudpickle stores nearly everything; what would come back as something else is refused."""

from __future__ import annotations

import functools
import inspect
import io
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group

from django_jobs import SerializationError
from django_jobs.serializers import Owner, dump_args, load_args
from django_jobs.uuid7 import uuid7

OWNER = Owner(uuid7(), "shop.send")


@pytest.fixture(autouse=True)
def _switched_on(settings: Any) -> None:
    settings.DJANGO_JOBS = {"SERIALIZERS": ["cloudpickle"]}


def function(order: Any, note: Any = "") -> None: ...


def dump(args: list[Any], kwargs: dict[str, Any]) -> str:
    return dump_args(inspect.signature(function), OWNER, args, kwargs, serializer="cloudpickle")


def there_and_back(value: Any) -> Any:
    ((back,), _) = load_args(dump([value], {}), OWNER)
    return back


def test_lambdas_closures_and_classes_of_ones_own_come_back() -> None:
    rate = 3
    assert there_and_back(lambda value: value * rate)(14) == 42

    class Order:
        number = 7

    assert there_and_back(Order)().number == 7
    assert there_and_back(Order()).number == 7


def test_buffers_in_memory_come_back() -> None:
    assert there_and_back(io.BytesIO(b"x")).getvalue() == b"x"


def _generator() -> Any:
    yield 1


MAKERS: dict[str, Callable[[], Any]] = {
    "lock": threading.Lock,
    "condition": threading.Condition,
    "socket": socket.socket,
    "generator": _generator,
    "text file": functools.partial(open, __file__),
    "binary file": functools.partial(open, __file__, "rb"),
    "raw file": functools.partial(open, __file__, "rb", buffering=0),
}


@pytest.mark.parametrize("serializer", ["json", "cloudpickle"])
@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("deep", [False, True])
def test_what_belongs_to_this_process_is_refused_and_named(serializer: str, kind: str, deep: bool) -> None:
    value = MAKERS[kind]()
    note = {"deep": [value]} if deep else value
    try:
        with pytest.raises(SerializationError, match=r"^shop\.send: the argument note\b"):
            dump_args(inspect.signature(function), OWNER, [1], {"note": note}, serializer=serializer)
    finally:
        getattr(value, "close", lambda: None)()


@pytest.mark.django_db
def test_a_model_instance_travels_as_its_key_here_too() -> None:
    group = Group.objects.create(name="pilots")
    text = dump_args(
        inspect.signature(function),
        OWNER,
        [{"groups": [group]}],
        {"note": lambda: group},
        serializer="cloudpickle",
    )
    Group.objects.update(name="crew")
    ((given,), kwargs) = load_args(text, OWNER)
    assert given["groups"][0].name == "crew"
    assert kwargs["note"]().name == "crew"
    group.delete()
    with pytest.raises(SerializationError, match=r"auth\.group with the key \d+ does not exist any more"):
        load_args(text, OWNER)


def test_an_instance_that_is_not_saved_is_refused() -> None:
    with pytest.raises(SerializationError, match=r"order is refused by cloudpickle: .* not saved yet"):
        there_and_back(Group(name="pilots"))
