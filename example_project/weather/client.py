"""Ask the weather service; no database. Whatever it does becomes a list or one of three exceptions."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from django.conf import settings

# Between two bytes, not for the whole answer: that only the job's own timeout limits.
SILENCE_SECONDS = 5.0
MOST_BYTES = 1_000_000
LONGEST_PAUSE = 24 * 3600.0

# The service is on this machine, where no proxy leads to.
_opener = build_opener(ProxyHandler({}))


class Unavailable(Exception):
    """The service is away, or answers with nonsense; later it may be well again."""


class Refused(Exception):
    """The service has understood and says no; asking again changes nothing."""


class TooManyRequests(Exception):
    """The service wants peace; `retry_after` is for how many seconds, None where it does not say."""

    def __init__(self, retry_after: float | None) -> None:
        self.retry_after = retry_after
        super().__init__(f"too many requests, Retry-After: {retry_after}")


def observations(country: str) -> list[Any]:
    """Return what the service knows of a country, unchecked; an empty list is a good answer.

    Raises:
        Unavailable, Refused, TooManyRequests: it does not say.
    """
    request = Request(
        f"{settings.WEATHER_URL}/observations/{country}",
        headers={"Authorization": f"Bearer {settings.WEATHER_KEY}"},
    )
    try:
        with _opener.open(request, timeout=SILENCE_SECONDS) as response:
            return _list_in(response.read(MOST_BYTES + 1))
    except HTTPError as error:
        with error:
            raise _reason(error) from error
    except (OSError, HTTPException) as error:  # no connection, no answer, or half of one
        raise Unavailable(f"no answer: {error}") from error


def _reason(error: HTTPError) -> Exception:
    if error.code == HTTPStatus.TOO_MANY_REQUESTS:
        return TooManyRequests(seconds_until(error.headers.get("Retry-After")))
    kind = Unavailable if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR else Refused
    return kind(f"{error.code} {error.reason}")


def _list_in(body: bytes) -> list[Any]:
    if len(body) > MOST_BYTES:
        raise Unavailable(f"an answer of more than {MOST_BYTES:,} bytes")
    try:
        found = json.loads(body)["observations"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unavailable(f"an answer that is none: {body[:40]!r}") from error
    if not isinstance(found, list):
        raise Unavailable(f"no list of observations: {found!r:.40}")
    return found


def seconds_until(header: str | None) -> float | None:
    """Return what a Retry-After says, a number of seconds or a date; None where it says nothing.

    A day at most: whatever a server says, somebody waits for the weather.
    """
    if header is None:
        return None
    if header.strip().isdecimal():
        return min(float(header), LONGEST_PAUSE)
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    seconds = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(0.0, seconds), LONGEST_PAUSE)
