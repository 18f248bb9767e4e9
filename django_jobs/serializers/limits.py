"""Every limit on the size of what is stored, and the cleaning of text no database takes."""

from __future__ import annotations

import math
import re

from django_jobs.conf import conf
from django_jobs.exceptions import PayloadTooLarge, SerializationError

PREVIEW = 500
# What a job may say of itself: characters of a note, bytes of meta, newest lines and bytes of the log.
NOTE_LENGTH = 200
MAX_META = 64 * 1024
LOG_LINES, LOG_SIZE = 200, 64 * 1024
LINE_LENGTH = 4000

# PostgreSQL refuses NUL in text, and no driver can encode half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def check_payload(data: bytes) -> None:
    """Refuse the encoded arguments of a job over MAX_PAYLOAD.

    Raises:
        PayloadTooLarge: they are; says the size and the limit.
    """
    if len(data) > conf().MAX_PAYLOAD:
        raise PayloadTooLarge(len(data), conf().MAX_PAYLOAD)


def check_meta(data: bytes) -> None:
    """Refuse the encoded meta of a job over MAX_META.

    Raises:
        SerializationError: it is; says the size and the limit.
    """
    if len(data) > MAX_META:
        raise SerializationError(
            f"current_job.meta takes {len(data):,} bytes, the limit is {MAX_META:,}; "
            "store large data elsewhere and keep its key"
        )


def finite(name: str, value: object, *, least: float = -math.inf) -> float:
    """Return a number as a float.

    Raises:
        ValueError: it is none, or not finite, or less than `least`; says which value of what name.
    """
    try:
        number = math.nan if isinstance(value, (bool, str, bytes)) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or number < least:
        bound = "" if least == -math.inf else f" ≥ {least:g}"
        raise ValueError(f"{name} must be a finite number{bound}, not {_shown(value)}")
    return number


def _shown(value: object) -> str:
    try:
        return cut(repr(value), 80)
    except Exception:  # an int of over 4,300 digits, or a class whose repr fails
        return f"this {type(value).__name__}"


def fits_result(data: bytes) -> bool:
    """Return whether an encoded result is within MAX_RESULT."""
    return len(data) <= conf().MAX_RESULT


def clean(text: str) -> str:
    """Replace what no database stores: NUL and lone surrogates become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def cut(text: str, length: int) -> str:
    """Clean text and, over so many characters, cut its end; a sign at the end says that it was."""
    return clean(text) if len(text) <= length else clean(text[: length - 1]) + "…"


def truncated(text: str, limit: int) -> str:
    """Clean text and, over the limit, cut out its middle: of a traceback both ends tell most.

    Args:
        text: any text.
        limit: bytes of UTF-8 that the answer may take.

    Returns:
        The text; where it was cut, a line says so with the original size.
    """
    data = clean(text).encode()
    return data.decode() if len(data) <= limit else _without_middle(data, data, len(data), limit)


def ends(first: str, last: str, *, of: str, limit: int) -> str:
    """Return likewise both ends of a text that is far over the limit, where these are known already."""
    return _without_middle(clean(first).encode(), clean(last).encode(), len(clean(of).encode()), limit)


def _without_middle(first: bytes, last: bytes, size: int, limit: int) -> str:
    note = f"\n... truncated, {size:,} bytes in all ...\n".encode()
    room = max(limit - len(note), 0)
    head, tail = first[: room // 2], last[max(len(last) - (room - room // 2), 0) :]
    return b"".join((head, note, tail))[:limit].decode(errors="ignore")
