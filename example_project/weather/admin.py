"""What was observed, to look at."""

from __future__ import annotations

from django.contrib import admin

from example_project.weather.models import Observation


@admin.register(Observation)
class ObservationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The observations."""

    list_display = ("station", "country", "observed_at", "temperature", "wind")
    list_filter = ("country",)
    search_fields = ("station",)
