"""The jobs of `manage.py serve`: one after the other for ever, some slow, some failing, some retried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import ParamSpec, TypeVar

from django.utils import timezone

from django_jobs import JobFunction
from django_jobs.models import Job
from example_project.airports.catalogue import catalogue
from example_project.airports.jobs import find_lonely_airports, import_airports, make_thumbnail
from example_project.airports.reading import count_rows
from example_project.hanging.jobs import sleep
from example_project.reports.jobs import mail_monthly_report
from example_project.weather.jobs import import_weather

# What their queues' names begin with, so that no run of the demo takes them for its own.
LIVE = "live-"
BATCH = 500
SAMPLE = 400
# In turns well, broken, too busy, without an end, talking nonsense, empty, and wanting another key.
COUNTRIES = ("DE", "IS", "NO", "US", "GB", "AQ", "FR")
ENOUGH = 5.0
READER = "ada@example.com"

P = ParamSpec("P")
R = TypeVar("R")


def trickle() -> Iterator[Callable[[], Job]]:
    """Yield what enqueues the next job, without an end."""
    batches = -(-count_rows("airportsdata") // BATCH)
    # The broken photograph and the bomb have their turns among the others.
    photos = sorted(catalogue())
    for turn in count():
        yield partial(live(import_airports).enqueue, "airportsdata", turn % batches * BATCH, BATCH)
        yield partial(live(make_thumbnail).enqueue, photos[turn % len(photos)], "medium")
        country = COUNTRIES[turn % len(COUNTRIES)]
        yield partial(live(import_weather).using(timeout=ENOUGH, max_attempts=3).enqueue, country)
        yield partial(live(find_lonely_airports).enqueue, SAMPLE)
        yield partial(live(mail_monthly_report).enqueue, *_month_before(turn), READER)
        yield live(sleep).enqueue


def live(function: JobFunction[P, R]) -> JobFunction[P, R]:
    """Return the function with a queue of the trickle."""
    return function.using(queue=f"{LIVE}{function.options.queue}")


def _month_before(turns: int) -> tuple[int, int]:
    """Return the year and the month so many months ago: each report is sent once."""
    today = timezone.now()
    months = today.year * 12 + today.month - 1 - turns
    return max(1, months // 12), months % 12 + 1
