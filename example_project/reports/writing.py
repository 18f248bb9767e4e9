"""What there is to say of a month."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.db.models import Avg, Count, Sum

from example_project.airports.models import Import, Thumbnail
from example_project.weather.models import Observation


def first_of(year: int, month: int) -> date:
    """Return the first day of a month.

    Raises:
        ValueError: there is no such month.
    """
    return date(year, month, 1)


def report_on(month: date) -> str:
    """Return the report on the month that begins on this day (UTC)."""
    begin = datetime(month.year, month.month, 1, tzinfo=UTC)
    span = (begin, (begin + timedelta(days=31)).replace(day=1) - timedelta(microseconds=1))
    imports = Import.objects.filter(imported_at__range=span)
    batches = imports.aggregate(count=Count("pk"), airports=Sum("imported", default=0))
    rejected = sum(len(each) for each in imports.values_list("rejected", flat=True))
    seen = Observation.objects.filter(observed_at__range=span).aggregate(
        count=Count("pk"), temperature=Avg("temperature")
    )
    lines = [
        f"Airports imported: {batches['airports']:,} in {batches['count']} batches.",
        f"Rows rejected: {rejected}.",
        f"Thumbnails there are: {Thumbnail.objects.count()}.",
        f"Observations of the weather: {seen['count']}" + _on_average(seen["temperature"]),
    ]
    return "\n".join([f"The airport guide in {month:%B %Y}", "", *lines, ""])


def _on_average(temperature: float | None) -> str:
    return "." if temperature is None else f", {temperature:.1f} °C on average."
