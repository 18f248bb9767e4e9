"""Nothing is loaded that this project has not signed for this very place."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any

import pytest

from django_jobs import SerializationError
from django_jobs.serializers import (
    Owner,
    dump_args,
    dump_result,
    load_args,
    load_result,
    parcels,
    pickles,
    repacked,
)
from django_jobs.serializers.parcels import ARGS, RESULT
from django_jobs.uuid7 import uuid7
from tests.serializers import making
from tests.tiers import by_tier

OWNER = Owner(uuid7(), "shop.send")
NO_MATCH = "signature of the stored (arguments|result) does not match"


def anything(*args: Any, **kwargs: Any) -> None: ...


def dump(*args: Any, owner: Owner = OWNER) -> str:
    return dump_args(inspect.signature(anything), owner, args, {}, serializer="cloudpickle")


@pytest.fixture(autouse=True)
def loads(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """Return what was given to be unpickled."""
    settings.DJANGO_JOBS = {"SERIALIZERS": ["cloudpickle", f"{making.PLACE}Marshal"]}
    given: list[bytes] = []
    original = pickles.CloudpickleSerializer.loads

    def watched(self: Any, data: bytes) -> Any:
        given.append(data)
        return original(self, data)

    monkeypatch.setattr(pickles.CloudpickleSerializer, "loads", watched)
    making.ran.clear()
    yield given
    making.ran.clear()


def refused(text: str, owner: Owner = OWNER, *, kind: str = ARGS, said: str | None = None) -> None:
    load: Any = load_args if kind == ARGS else load_result
    with pytest.raises(SerializationError, match=said):
        load(text, owner)


def flipped(text: str) -> Iterator[str]:
    data = text.encode()
    for index in range(len(data) * 8):
        spoilt = bytearray(data)
        spoilt[index // 8] ^= 1 << index % 8
        yield spoilt.decode("utf-8", "surrogateescape")


def test_the_canary_dies_where_it_is_loaded(loads: list[bytes]) -> None:
    load_args(dump(making.Canary()), OWNER)
    assert (len(loads), making.ran) == (1, ["canary"])


@pytest.mark.faults
@pytest.mark.timeout(by_tier(60, 600))
@pytest.mark.parametrize("number", range(by_tier(4, 40, 200)))
def test_no_payload_with_a_bit_flipped_is_loaded(number: int, loads: list[bytes]) -> None:
    value = [making.Canary(), "x" * (number % 50), number]
    args = dump(value)
    result = dump_result(value, OWNER, like=args)
    assert result is not None
    for spoilt in flipped(args):
        refused(spoilt)
    for spoilt in flipped(result):
        refused(spoilt, kind=RESULT)
    assert (loads, making.ran) == ([], [])


def test_no_payload_is_loaded_at_a_place_it_was_not_signed_for(loads: list[bytes]) -> None:
    text = dump(making.Canary())
    result = dump_result(making.Canary(), OWNER, like=text)
    assert result is not None
    refused(text, Owner(uuid7(), OWNER.function), said=NO_MATCH)
    refused(text, Owner(OWNER.id, "shop.send2"), said=NO_MATCH)
    refused(text, kind=RESULT, said=NO_MATCH)
    refused(result, said=NO_MATCH)
    refused(text.replace("$cloudpickle$", "$marshal$"), said=NO_MATCH)
    other = parcels.parse(dump(making.Canary(), 1))
    refused(text.replace(parcels.parse(text).signature, other.signature), said=NO_MATCH)
    assert (loads, making.ran) == ([], [])


def test_names_that_look_like_one_another_share_no_signature() -> None:
    first, second = Owner(OWNER.id, 'a", "b'), Owner(OWNER.id, "a\nb")
    texts = [parcels.pack(b"x", format="f", owner=owner, kind=ARGS) for owner in (first, second)]
    for text, owner in zip(texts, (second, first), strict=True):
        with pytest.raises(SerializationError, match=NO_MATCH):
            parcels.parse(text).verified(owner, ARGS)


def test_a_key_counts_as_long_as_it_is_known(settings: Any, loads: list[bytes]) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "old", []
    text = dump(1)
    settings.SECRET_KEY = "new"
    refused(text, said="not in SECRET_KEY_FALLBACKS either")
    assert loads == []
    settings.SECRET_KEY_FALLBACKS = ["older", "old"]
    assert load_args(text, OWNER) == ([1], {})
    assert dump(1) != text
    settings.SECRET_KEY_FALLBACKS = []
    assert load_args(dump(1), OWNER) == ([1], {})


def test_nothing_is_unpickled_while_that_is_switched_off(settings: Any, loads: list[bytes]) -> None:
    text = dump(making.Canary())
    result = dump_result(making.Canary(), OWNER, like=text)
    assert result is not None
    settings.DJANGO_JOBS = {}
    refused(text, said="not switched on")
    refused(result, kind=RESULT, said="not switched on")
    assert (loads, making.ran) == ([], [])


ZEROS = "0" * 64


@pytest.mark.parametrize(
    "text",
    [
        "$",
        "$$$",
        "$cloudpickle$$gASVAAA=",
        f"$cloudpickle${ZEROS}$",
        f"$cloudpickle${ZEROS}$\u0661",
        f"$cloudpickle${ZEROS}$AA==\n",
        f"$json${ZEROS}$W10=",
        f"$no${ZEROS}$AA==",
        '{"$cloudpickle": "gASVAAA="}',
        "\ud800",
        "$\ud800",
    ],
)
@pytest.mark.parametrize("kind", [ARGS, RESULT])
def test_what_nobody_has_stored_is_a_serialization_error(text: str, kind: str, loads: list[bytes]) -> None:
    refused(text, kind=kind)
    assert loads == []


def test_a_new_job_of_a_dead_one_has_its_arguments_signed_anew(loads: list[bytes]) -> None:
    new = Owner(uuid7(), OWNER.function)
    text = dump(making.Canary())
    again = repacked(text, old=OWNER, new=new)
    refused(again, said=NO_MATCH)
    with pytest.raises(SerializationError, match=NO_MATCH):
        repacked(text, old=new, new=OWNER)
    with pytest.raises(SerializationError, match=NO_MATCH):
        repacked(again, old=OWNER, new=new)
    assert (loads, making.ran) == ([], [])
    load_args(again, new)
    assert making.ran == ["canary"]
    plain = json.dumps({"args": [1], "kwargs": {}})
    assert repacked(plain, old=OWNER, new=new) == plain
