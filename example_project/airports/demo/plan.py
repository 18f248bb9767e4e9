"""Which jobs a run of the demo consists of; a run that was cut short is continued."""

from __future__ import annotations

from itertools import product

from django.db import transaction
from django.utils import timezone

from django_jobs.models import Job
from django_jobs.models.queries import JobQuerySet
from django_jobs.states import FINAL
from example_project.airports.catalogue import BOMB, BROKEN, catalogue
from example_project.airports.demo.trickle import LIVE
from example_project.airports.jobs import import_airports, make_contact_sheet, make_thumbnail
from example_project.airports.models import Airport, ContactSheet, DemoRun, Import, Photo, Thumbnail
from example_project.airports.pictures import SIZES
from example_project.airports.reading import count_rows
from example_project.reports.jobs import mail_failure, mail_monthly_report
from example_project.reports.models import MonthlyReport
from example_project.weather.jobs import import_weather
from example_project.weather.models import Observation

BATCH = 500
UNREADABLE = "airfields_of_brazil_latin1.csv"
SOURCES = ("airportsdata", "closed_airports.csv", UNREADABLE)
# Countries that answer at once, have nothing to tell, or are well at the second try.
WEATHER = ("DE", "AQ", "NO", "IS", "GB")
# One wants another key. One answers without an end, and two seconds of that are enough for a demo.
NO_KEY, ENDLESS = "FR", "US"
ENOUGH = 2.0
# Who gets the month's report; the mail server asks to come again first.
READER = "ada@example.com"
FUNCTIONS = (
    import_airports,
    make_thumbnail,
    make_contact_sheet,
    import_weather,
    mail_monthly_report,
    mail_failure,
)


def jobs_of(run: DemoRun) -> JobQuerySet:
    """Return the jobs of a run: the example's jobs from its first on, and none of `manage.py serve`."""
    names = [function.name for function in FUNCTIONS]
    return Job.objects.filter(function__in=names, id__gte=run.first_job).exclude(queue__startswith=LIVE)


def unfinished_run() -> DemoRun | None:
    """Return the newest run if some of its jobs are not final yet."""
    run = DemoRun.objects.order_by("id").last()
    return run if run and jobs_of(run).exclude(status__in=FINAL).exists() else None


@transaction.atomic
def fresh_run() -> DemoRun:
    """Clear the guide and enqueue all jobs, in one transaction: a run is planned whole or not at all."""
    for model in (ContactSheet, Thumbnail, Photo, Airport, Import, Observation, MonthlyReport):
        model._default_manager.all().delete()
    # The sheet comes first, so that it finds its thumbnails missing: a real reason to try again.
    sheet = _enqueue_sheet()
    _enqueue_report()
    broken = _enqueue_weather() + _enqueue_thumbnails() + _enqueue_imports()
    return DemoRun.objects.create(first_job=sheet.id, doomed=[str(job.id) for job in broken])


def _enqueue_sheet() -> Job:
    photos = sorted(catalogue().keys() - {BROKEN, BOMB})
    return make_contact_sheet.using(priority=10).enqueue("photographs", photos)


def _enqueue_report() -> None:
    # After the others, as far as one worker is concerned: it counts what they have done.
    today = timezone.now()
    mail_monthly_report.using(priority=-10).enqueue(today.year, today.month, READER)


def _enqueue_weather() -> list[Job]:
    import_weather.enqueue_many([(country,) for country in WEATHER])
    endless = import_weather.using(timeout=ENOUGH, max_attempts=1).enqueue(ENDLESS)
    return [import_weather.enqueue(NO_KEY), endless]


def _enqueue_thumbnails() -> list[Job]:
    calls = list(product(catalogue(), SIZES))
    enqueued = make_thumbnail.enqueue_many(calls)
    return [job for (name, _), job in zip(calls, enqueued, strict=True) if name in (BROKEN, BOMB)]


def _enqueue_imports() -> list[Job]:
    calls = [
        (source, first_row, BATCH) for source in SOURCES for first_row in range(0, count_rows(source), BATCH)
    ]
    enqueued = import_airports.enqueue_many(calls)
    return [job for (source, *_), job in zip(calls, enqueued, strict=True) if source == UNREADABLE]
