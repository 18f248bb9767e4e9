"""What was observed at an airport."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models


class Observation(models.Model):
    """The weather at one airport at one moment."""

    # No foreign key: the weather of an airport may come before the airport itself.
    station = models.CharField("ICAO code", max_length=4, validators=[RegexValidator("^[A-Z0-9]{4}$")])
    country = models.CharField(max_length=2)
    observed_at = models.DateTimeField()
    temperature = models.DecimalField(
        "temperature (°C)",
        max_digits=4,
        decimal_places=1,
        validators=[MinValueValidator(-90), MaxValueValidator(60)],
    )
    wind = models.PositiveSmallIntegerField("wind (kt)", validators=[MaxValueValidator(250)])

    class Meta:
        ordering = ["-observed_at", "station"]
        constraints = [
            # A job may run twice: what it brings the second time takes the place of the first.
            models.UniqueConstraint(
                fields=["station", "observed_at"], name="weather_observe_each_moment_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.station} {self.observed_at:%Y-%m-%d %H:%M}: {self.temperature} °C, {self.wind} kt"
