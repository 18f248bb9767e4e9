"""Serializers of others, good and bad, and values that no serializer should load."""

from __future__ import annotations

import marshal
import os
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied

PLACE = "tests.serializers.making."


class Marshal:
    """A serializer as somebody may write one."""

    name = "marshal"

    def dumps(self, value: Any) -> bytes:
        """Encode plain values."""
        return marshal.dumps(value)

    def loads(self, data: bytes) -> Any:
        """Decode them."""
        return marshal.loads(data)


class Witness(Marshal):
    """Writes down beside its worker's log which process has called it."""

    name = "witness"

    def dumps(self, value: Any) -> bytes:
        """Encode plain values."""
        self._note("dumps")
        return super().dumps(value)

    def loads(self, data: bytes) -> Any:
        """Decode them."""
        self._note("loads")
        return super().loads(data)

    def _note(self, what: str) -> None:
        if log := os.environ.get("TEST_WORKER"):
            with Path(f"{log}.calls").open("a") as calls:
                calls.write(f"{os.getpid()} {what}\n")


class Text(Marshal):
    """Returns no bytes."""

    name = "text"

    def dumps(self, value: Any) -> Any:
        """Return a text."""
        return str(value)


class Angry(Marshal):
    """Raises what nobody expects."""

    name = "angry"

    def dumps(self, value: Any) -> bytes:
        """Refuse lists."""
        if isinstance(value, list) or (isinstance(value, dict) and any(map(bool, value.get("args", ())))):
            raise PermissionDenied("no lists here")
        return super().dumps(value)

    def loads(self, data: bytes) -> Any:
        """Refuse all."""
        raise PermissionDenied("never")


class Pairs(Marshal):
    """Gives back something else than it was given."""

    name = "pairs"

    def loads(self, data: bytes) -> Any:
        """Return keys that are no names."""
        return {"args": (), "kwargs": {1: 2}}


class Nameless:
    """Has no name."""

    def dumps(self, value: Any) -> bytes:
        """Encode nothing."""
        return b""

    def loads(self, data: bytes) -> Any:
        """Decode nothing."""


class Loud(Nameless):
    """Has a name that would not be found again."""

    name = "Loud$"


class Impostor(Marshal):
    """Is called as one of ours."""

    name = "cloudpickle"


class Mute:
    """Only has a name."""

    name = "mute"


class Demanding(Marshal):
    """Cannot be made without arguments."""

    name = "demanding"

    def __init__(self, more: int) -> None:
        self.more = more


class Twin(Marshal):
    """Is called as another one."""


ran: list[str] = []


def sing() -> str:
    """Be heard."""
    ran.append("canary")
    return "canary"


class Canary:
    """Dies when it is loaded."""

    def __reduce__(self) -> Any:
        return sing, ()
