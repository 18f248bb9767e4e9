"""Every limit on the size of what is stored, and the cleaning of text no database takes."""

from __future__ import annotations

import re

from django_jobs.conf import conf
from django_jobs.exceptions import PayloadTooLarge

PREVIEW = 500

# PostgreSQL refuses NUL in text, and no driver can encode half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def check_payload(data: bytes) -> None:
    """Refuse the encoded arguments of a job over MAX_PAYLOAD.

    Raises:
        PayloadTooLarge: they are; says the size and the limit.
    """
    if len(data) > conf().MAX_PAYLOAD:
        raise PayloadTooLarge(len(data), conf().MAX_PAYLOAD)


def fits_result(data: bytes) -> bool:
    """Return whether an encoded result is within MAX_RESULT."""
    return len(data) <= conf().MAX_RESULT


def clean(text: str) -> str:
    """Replace what no database stores: NUL and lone surrogates become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def truncated(text: str, limit: int) -> str:
    """Clean text and, over the limit, cut out its middle: of a traceback both ends tell most.

    Args:
        text: any text.
        limit: bytes of UTF-8 that the answer may take.

    Returns:
        The text; where it was cut, a line says so with the original size.
    """
    data = clean(text).encode()
    if len(data) <= limit:
        return data.decode()
    note = f"\n... truncated, {len(data):,} bytes in all ...\n".encode()
    room = max(limit - len(note), 0)
    head, tail = data[: room // 2], data[len(data) - (room - room // 2) :]
    return b"".join((head, note, tail))[:limit].decode(errors="ignore")
