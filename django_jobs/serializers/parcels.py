"""Bytes of a serializer as the text of a row: `$format$signature$base64`.

JSON stands in the row as it is, and never begins with a `$`. All else is signed: whoever can write to the
database, and does not know SECRET_KEY, cannot have bytes of his own loaded. The signature holds for one
job, one function, one format and one place (arguments or result), and is made of the text, so that not a
single bit of it can change.
"""

from __future__ import annotations

import base64
import json
import re
from typing import NamedTuple
from uuid import UUID

from django.utils.crypto import constant_time_compare, salted_hmac

from django_jobs.conf import secret_keys
from django_jobs.exceptions import SerializationError

ARGS, RESULT = "args", "result"
SIGN = "$"
_TEXT = re.compile(r"\$([a-z][a-z0-9_.-]*)\$([0-9a-f]{64})\$([A-Za-z0-9+/]*={0,2})")


class Owner(NamedTuple):
    """The job that a payload belongs to."""

    id: UUID
    function: str


class Parcel(NamedTuple):
    """What stands in a row, not yet verified.

    Attributes:
        format: the serializer's name, as the row claims.
        signature: hexadecimal.
        data: its bytes, base64.
    """

    format: str
    signature: str
    data: str

    @property
    def size(self) -> int:
        """How many bytes the serializer has made."""
        return len(self.data) // 4 * 3 - self.data.count("=")

    def verified(self, owner: Owner, kind: str) -> bytes:
        """Return the bytes, if it was this project that has stored them at this place of this job.

        Raises:
            SerializationError: it was not, or its SECRET_KEY is no longer known.
        """
        head = (owner, kind, self.format)
        expected = (_signature(*head, self.data, key=key) for key in secret_keys())
        if not any(constant_time_compare(self.signature, each) for each in expected):
            raise SerializationError(
                f"the signature of the stored {_NAMES[kind]} does not match: changed since, or stored for "
                "another job, or signed with a SECRET_KEY that is not in SECRET_KEY_FALLBACKS either"
            )
        return base64.b64decode(self.data)


_NAMES = {ARGS: "arguments", RESULT: "result"}


def is_parcel(text: str) -> bool:
    """Return whether a stored text is anything but JSON."""
    return text.startswith(SIGN)


def pack(data: bytes, *, format: str, owner: Owner, kind: str) -> str:
    """Return the text to store, signed with the present SECRET_KEY."""
    text = base64.b64encode(data).decode()
    signature = _signature(owner, kind, format, text, key=secret_keys()[0])
    return f"{SIGN}{format}{SIGN}{signature}{SIGN}{text}"


def parse(text: str) -> Parcel:
    """Read a stored text, believing nothing yet.

    Raises:
        SerializationError: it is none of ours.
    """
    if (match := _TEXT.fullmatch(text)) is None:
        raise SerializationError("the stored payload cannot be read: it is neither JSON nor signed bytes")
    return Parcel(*match.groups())


def is_signed_for(text: str, owner: Owner) -> bool:
    """Return whether stored arguments are this job's; JSON always is."""
    try:
        repacked(text, old=owner, new=owner)
    except SerializationError:
        return False
    return True


def repacked(text: str, *, old: Owner, new: Owner) -> str:
    """Return stored arguments signed for another job, without loading them.

    Raises:
        SerializationError: they are not the old job's.
    """
    if not is_parcel(text):
        return text
    parcel = parse(text)
    return pack(parcel.verified(old, ARGS), format=parcel.format, owner=new, kind=ARGS)


def _signature(owner: Owner, kind: str, format: str, data: str, *, key: str | bytes) -> str:
    # A line of its own, as JSON: no other owner, kind and format can be read out of it.
    head = json.dumps([kind, owner.id.hex, owner.function, format])
    return salted_hmac("django_jobs.payload", f"{head}\n{data}", secret=key, algorithm="sha256").hexdigest()
