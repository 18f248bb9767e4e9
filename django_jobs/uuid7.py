"""UUIDv7 (RFC 9562, 5.7): ids that sort by creation, known before the insert."""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, SafeUUID

from django_jobs.exceptions import JobNotFound

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTER_BITS = 42
_LOW = (1 << 30) - 1
# 30 December 9999: an id that is no UUIDv7 may point beyond what a datetime holds in every zone.
_LATEST_MS = 253_402_128_000_000
_set = object.__setattr__  # a UUID refuses to be changed
_lock = threading.Lock()
_last_ms = 0
_counter = 0


def uuid7() -> UUID:
    """Return a new UUIDv7; within one process each sorts after the one before."""
    return uuid7s(1)[0]


def uuid7s(count: int) -> list[UUID]:
    """Return so many new UUIDv7s, in order, all of one millisecond.

    Method 1 of RFC 9562, 6.2: a 42-bit counter behind the millisecond, seeded at random
    with its top bit clear each millisecond, then 32 random bits.
    """
    ms, first = _reserved(count)
    head = ms << 80 | 0x7 << 76 | 0b10 << 62
    return [
        _made(head | counter >> 30 << 64 | (counter & _LOW) << 32 | tail)
        for counter, tail in enumerate(struct.unpack(f">{count}I", os.urandom(4 * count)), first)
    ]


def _made(number: int) -> UUID:
    """Return what `UUID(int=number)` does, which looks first which of six arguments it was given."""
    made = UUID.__new__(UUID)
    _set(made, "int", number)
    _set(made, "is_safe", SafeUUID.unknown)
    return made


def _reserved(count: int) -> tuple[int, int]:
    """Return a millisecond, and the first of so many values of its counter that nobody else is given."""
    global _last_ms, _counter
    with _lock:
        now = time.time_ns() // 1_000_000
        if now > _last_ms:
            _last_ms = now
            _counter = int.from_bytes(os.urandom(6), "big") >> 7
        elif _counter + count >> _COUNTER_BITS:  # the same millisecond, or the clock went back
            _last_ms, _counter = _last_ms + 1, 0
        first, _counter = _counter, _counter + count
        return _last_ms, first


def parse_id(given: object) -> UUID:
    """Return a job's id given as a UUID or as its text.

    Raises:
        JobNotFound: it is neither; no job can have it.
    """
    if isinstance(given, UUID):
        return given
    with suppress(ValueError):
        if isinstance(given, str):
            return UUID(given)
    raise JobNotFound(given)


def parse_ids(given: Iterable[object]) -> list[UUID]:
    """Return jobs' ids, each once, in their order.

    Raises:
        JobNotFound: one is no id.
        TypeError: this is no list of them.
    """
    # A text is iterable too, and its first character would be looked for as an id.
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise TypeError(f"a list of ids is needed, not {given!r}")
    return list(dict.fromkeys(map(parse_id, given)))


def created_at(job_id: UUID) -> datetime:
    """Return the moment a UUIDv7 was made, to the millisecond, in UTC."""
    return _EPOCH + timedelta(milliseconds=min(job_id.int >> 80, _LATEST_MS))


def age(job_id: UUID) -> float:
    """Return the seconds since a UUIDv7 was made, by this host's clock; never negative."""
    return max(0.0, time.time() - (job_id.int >> 80) / 1000)


def _reseed() -> None:
    global _last_ms, _lock
    _last_ms, _lock = 0, threading.Lock()


# A forked child would go on counting where its parent does.
os.register_at_fork(after_in_child=_reseed)
