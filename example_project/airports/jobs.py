"""The guide's job functions. Each may run twice: what it writes the second time is what is there."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from django_jobs import PermanentError, SoftTimeout, TransientError, exponential, get_current_job, job
from example_project.airports.catalogue import catalogue
from example_project.airports.loneliness import Place, nearest
from example_project.airports.models import Airport, ContactSheet, Import, Photo, Thumbnail
from example_project.airports.pictures import BOMBS, SIZES, contact_sheet, thumbnail
from example_project.airports.reading import Batch, Rejection, read_batch
from example_project.reports.jobs import mail_failure

# How many of them are returned.
LONELIEST = 5


# A server that is restarted fails the batches it was storing, and is back in a moment.
@job(
    queue="imports",
    timeout=60,
    max_attempts=5,
    retry_delay=1,
    # Stored in the transaction that makes the job dead: the mail can be late, and not forgotten.
    on_failure=mail_failure,
    description="Import one batch of airports",
)
def import_airports(source: str, first_row: int, rows: int) -> dict[str, Any]:
    """Import rows of a source, all that can be read; return the report of what was and what was not.

    A file that is not one of the guide's, or cannot be read at all, will not heal: the job is dead at once.
    """
    try:
        batch = read_batch(source, first_row, rows)
    except (ValueError, csv.Error) as error:
        raise PermanentError(f"{source} cannot be read: {error}") from error
    with transaction.atomic():
        record, new = Import.objects.get_or_create(
            source=source, first_row=first_row, defaults={"rows": len(batch)}
        )
        if new:
            _store(batch, record=record)
    _tell(record)
    return record.report()


def _store(batch: Batch, *, record: Import) -> None:
    codes = [airport.code for airport in batch.airports.values()]
    known = set(Airport.objects.filter(code__in=codes).values_list("code", flat=True))
    fresh = []
    for line, airport in batch.airports.items():
        if airport.code in known:
            batch.rejected.append(Rejection(line, f"{airport.code} is in the guide already"))
        else:
            airport.batch = record
            fresh.append(airport)
    Airport.objects.bulk_create(fresh)
    record.imported = len(fresh)
    record.rejected = [rejection._asdict() for rejection in sorted(batch.rejected)]
    record.save()


def _tell(record: Import) -> None:
    # Called inline, nobody listens.
    if (run := get_current_job()) is not None:
        run.progress(record.imported, record.rows, note=f"imported of {record.source}")
        run.log(
            "\n".join(f"line {each['line']}: {each['reason']}" for each in record.rejected) or "no rejects"
        )


# A photograph that is still being uploaded looks like a broken one: worth a second and a third look.
@job(queue="photos", timeout=30, max_attempts=3, retry_delay=1, description="Make one thumbnail")
def make_thumbnail(name: str, size: str) -> dict[str, Any]:
    """Make the thumbnail of a photograph in one size; return its width and height."""
    entry = catalogue().get(name)
    if entry is None:
        raise PermanentError(f"there is no photograph {name!r} in the catalogue")
    if size not in SIZES:
        raise PermanentError(f"there is no size {size!r}, only {', '.join(SIZES)}")
    photo, _ = Photo.objects.get_or_create(
        name=name, defaults={"title": entry.title, "author": entry.author, "terms": entry.terms}
    )
    try:
        content = thumbnail(entry.path, size)
    except BOMBS as error:
        raise PermanentError(f"{name} is no photograph but a bomb: {error}") from error
    with transaction.atomic():
        made = Thumbnail.objects.filter(photo=photo, size=size).first() or Thumbnail(photo=photo, size=size)
        made.image.save(f"{entry.path.stem}-{size}.jpg", content)
    return {"photo": name, "size": size, "width": made.width, "height": made.height}


@job(
    queue="photos",
    timeout=30,
    max_attempts=30,
    retry_delay=exponential(0.5, cap=10),
    description="Put the small thumbnails on one sheet",
)
def make_contact_sheet(name: str, photos: list[str]) -> dict[str, Any]:
    """Put the small thumbnails of these photographs on one sheet, once other jobs have made them all."""
    small = {
        made.photo.name: made
        for made in Thumbnail.objects.filter(size="small", photo__name__in=photos).select_related("photo")
    }
    if missing := [photo for photo in photos if photo not in small]:
        raise TransientError(f"no small thumbnail yet of {', '.join(missing)}")
    sheet = ContactSheet.objects.filter(name=name).first() or ContactSheet(name=name)
    sheet.image.save(f"{name}.jpg", contact_sheet([small[photo].image for photo in photos]))
    return {"name": name, "photos": len(photos), "width": sheet.width, "height": sheet.height}


@job(
    queue="reckoning",
    timeout=60,
    soft_timeout=45,
    max_attempts=2,
    description="Find the airports that are farthest from all others",
)
def find_lonely_airports(sample: int) -> dict[str, Any]:
    """Find the loneliest among so many airports, spread over all.

    It takes a while: it tells how far it is, can be cancelled, and returns what it has found by then when
    its time is nearly over.
    """
    if sample < 1:
        raise PermanentError(f"a sample of {sample} airports finds nothing")
    rows = Airport.objects.order_by("code").values_list("code", "latitude", "longitude")
    places = [Place.at(code, float(latitude), float(longitude)) for code, latitude, longitude in rows]
    chosen = places[:: max(1, len(places) // sample)]
    found = [lonely for place in _announced(chosen) if (lonely := nearest(place, places))]
    loneliest = [lonely._asdict() for lonely in sorted(found, reverse=True)[:LONELIEST]]
    return {"looked_at": len(found), "of": len(places), "loneliest": loneliest}


def _announced(places: list[Place]) -> Iterator[Place]:
    """Yield the places while there is time and nobody wants the job to end; tell how far it is."""
    run = get_current_job()
    try:
        for number, place in enumerate(places, start=1):
            if run is not None:
                run.check_timeout()
                run.check_cancelled()
                run.progress(number, len(places), note=place.code)
            yield place
    except SoftTimeout:
        return
