"""What the guide knows, and what its jobs have written down about their work."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models


class Import(models.Model):
    """One batch of a source that has been imported; its row and its airports came in one transaction."""

    source = models.CharField(max_length=100)
    first_row = models.PositiveIntegerField(help_text="counted from 0, the header aside")
    rows = models.PositiveIntegerField()
    imported = models.PositiveIntegerField(default=0)
    rejected = models.JSONField(default=list, help_text="line number and reason of each rejected row")
    imported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # A job may run twice, its batch must not: the second run finds this row and does nothing.
            models.UniqueConstraint(fields=["source", "first_row"], name="airports_import_each_batch_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source}, rows {self.first_row}-{self.first_row + self.rows - 1}"

    def report(self) -> dict[str, Any]:
        """Return what the job that imported this batch gives back as its result."""
        return {
            "source": self.source,
            "first_row": self.first_row,
            "rows": self.rows,
            "imported": self.imported,
            "rejected": self.rejected,
        }


class Airport(models.Model):
    """An airport or a landing strip."""

    code = models.CharField(
        "ICAO code", max_length=4, unique=True, validators=[RegexValidator("^[A-Z0-9_]{4}$")]
    )
    iata = models.CharField(
        "IATA code", max_length=3, blank=True, validators=[RegexValidator("^[A-Z0-9]{3}$")]
    )
    name = models.CharField(max_length=100)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, validators=[RegexValidator("^[A-Z]{2}$")])
    elevation = models.DecimalField("elevation (ft)", max_digits=7, decimal_places=2)
    latitude = models.DecimalField(
        max_digits=8, decimal_places=6, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.DecimalField(
        max_digits=9, decimal_places=6, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    time_zone = models.CharField(max_length=40, blank=True)
    batch = models.ForeignKey(Import, models.CASCADE, verbose_name="import", related_name="airports")

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Photo(models.Model):
    """A photograph of the catalogue, with its licence."""

    name = models.CharField("file", max_length=100, unique=True)
    title = models.CharField(max_length=200)
    author = models.CharField(max_length=100)
    terms = models.CharField(max_length=200)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name}: {self.title}"


class Thumbnail(models.Model):
    """A photograph in one of the three sizes."""

    photo = models.ForeignKey(Photo, models.CASCADE, related_name="thumbnails")
    size = models.CharField(max_length=10)
    image = models.ImageField(upload_to="thumbnails", width_field="width", height_field="height")
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)

    class Meta:
        ordering = ["photo", "width"]
        constraints = [
            models.UniqueConstraint(fields=["photo", "size"], name="airports_thumbnail_each_size_once"),
        ]

    def __str__(self) -> str:
        return f"{self.photo.name}, {self.size}"


class ContactSheet(models.Model):
    """One picture of all small thumbnails."""

    name = models.CharField(max_length=100, unique=True)
    image = models.ImageField(upload_to="sheets", width_field="width", height_field="height")
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    made_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class DemoRun(models.Model):
    """One run of `manage.py demo`, so that a run that was cut short can be continued."""

    started_at = models.DateTimeField(auto_now_add=True)
    first_job = models.UUIDField(help_text="ids sort by creation: the run's jobs are this one and later ones")
    doomed = models.JSONField(default=list, help_text="ids of the jobs whose input is broken on purpose")

    def __str__(self) -> str:
        return f"run of {self.started_at:%Y-%m-%d %H:%M:%S}"
