"""Bring in the weather: what can heal is tried again, what cannot is not, and twice is as good as once."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from django_jobs import PermanentError, RetryJob, exponential, get_current_job, job
from example_project.weather.client import Refused, TooManyRequests, Unavailable, observations
from example_project.weather.models import Observation

FIELDS = ("station", "observed_at", "temperature", "wind")


@job(
    queue="weather",
    # The whole run. The client's own patience is between two bytes, and a server may drip.
    timeout=20,
    max_attempts=5,
    # With jitter, so that jobs which met the same outage do not come back together.
    retry_delay=exponential(0.5, cap=60, jitter=True),
    # What can heal. Anything else is a mistake in the code, and it is the same one the next time.
    retry_on=(Unavailable, OperationalError, InterfaceError),
    description="Import the weather of one country",
)
def import_weather(country: str) -> dict[str, Any]:
    """Store what is observed in a country; return how much was read, stored and rejected, with reasons.

    The argument is a small name and not the data, which would be old when the job runs; the key of the
    service is in the settings and not in the job, where everybody could read it.
    """
    if not re.fullmatch("[A-Z]{2}", country):
        raise PermanentError(f"{country!r} is no country's two letters")
    try:
        found = observations(country)
    except TooManyRequests as error:
        raise RetryJob(defer=error.retry_after) from error
    except Refused as error:
        raise PermanentError(f"the weather service says {error}") from error
    return _store(found, country=country)


def _store(found: list[Any], *, country: str) -> dict[str, Any]:
    rejected = []
    with transaction.atomic():
        for number, given in enumerate(found, start=1):
            try:
                _store_one(given, country=country)
            except ValueError as error:
                rejected.append({"number": number, "reason": str(error)})
    _tell(len(found), rejected)
    stored = len(found) - len(rejected)
    return {"country": country, "read": len(found), "stored": stored, "rejected": rejected}


def _store_one(given: Any, *, country: str) -> None:
    seen = _observation(given, country=country)
    Observation.objects.update_or_create(
        station=seen.station,
        observed_at=seen.observed_at,
        defaults={"country": country, "temperature": seen.temperature, "wind": seen.wind},
    )


def _observation(given: Any, *, country: str) -> Observation:
    if not isinstance(given, dict):
        raise ValueError(f"not an observation: {given!r:.40}")
    seen = Observation(country=country, **{name: given.get(name) for name in FIELDS})
    try:
        seen.clean_fields(exclude=["id"])
    except ValidationError as error:
        wrong = {name: " ".join(messages) for name, messages in error.message_dict.items()}
        raise ValueError("; ".join(f"{name}: {message}" for name, message in wrong.items())) from error
    except TypeError as error:  # as of a list where Django expects a moment as text
        raise ValueError(f"not an observation: {error}") from error
    if timezone.is_naive(seen.observed_at):
        raise ValueError(f"observed_at: {given['observed_at']!r} has no time zone")
    return seen


def _tell(read: int, rejected: list[dict[str, Any]]) -> None:
    # Called inline, nobody listens.
    if (run := get_current_job()) is not None:
        run.progress(read - len(rejected), read, note="observations stored")
        run.log(
            "\n".join(f"observation {each['number']}: {each['reason']}" for each in rejected) or "no rejects"
        )
