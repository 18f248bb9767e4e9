"""Everything the guide's jobs have written, to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from example_project.airports.models import Airport, ContactSheet, DemoRun, Import, Photo, Thumbnail


def picture(made: Thumbnail | ContactSheet) -> SafeString:
    """Return a picture as HTML, in its own size, linked to its file."""
    return format_html(
        '<a href="{0}"><img src="{0}" alt="{1}" width="{2}" height="{3}"></a>',
        made.image.url,
        str(made),
        made.width,
        made.height,
    )


@admin.register(Airport)
class AirportAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The airports."""

    list_display = ("code", "iata", "name", "city", "country", "elevation", "latitude", "longitude")
    list_filter = ("batch__source",)
    search_fields = ("code", "iata", "name", "city", "country")
    raw_id_fields = ("batch",)
    show_full_result_count = False


@admin.register(Import)
class ImportAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The imported batches, with the report of their rejected rows."""

    list_display = ("source", "first_row", "rows", "imported", "rejected_rows", "imported_at")
    list_filter = ("source",)
    fields = ("source", "first_row", "rows", "imported", "imported_at", "report_of_rejected_rows")
    readonly_fields = fields
    ordering = ("source", "first_row")

    @admin.display(description="rejected")
    def rejected_rows(self, record: Import) -> int:
        """Count the rejected rows."""
        return len(record.rejected)

    @admin.display(description="rejected rows")
    def report_of_rejected_rows(self, record: Import) -> SafeString | str:
        """List the rejected rows, line by line."""
        lines = ((rejection["line"], rejection["reason"]) for rejection in record.rejected)
        items = format_html_join("", "<li>line {}: {}</li>", lines)
        return format_html("<ul>{}</ul>", items) if items else "no row was rejected"


class ThumbnailInline(admin.TabularInline):  # type: ignore[type-arg]
    """The sizes of one photograph."""

    model = Thumbnail
    extra = 0
    fields = ("size", "width", "height", "preview")
    readonly_fields = fields

    def preview(self, made: Thumbnail) -> SafeString:
        """Show the thumbnail."""
        return picture(made)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Thumbnails are made by jobs."""
        return False


@admin.register(Photo)
class PhotoAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The photographs with their licences and thumbnails."""

    list_display = ("name", "title", "author", "terms", "smallest", "sizes")
    search_fields = ("name", "title", "author")
    inlines = (ThumbnailInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Photo]:
        """Bring the thumbnails along."""
        return super().get_queryset(request).prefetch_related("thumbnails__photo")

    @admin.display(description="thumbnail", empty_value="none")
    def smallest(self, photo: Photo) -> SafeString | None:
        """Show the smallest thumbnail."""
        made = min(photo.thumbnails.all(), key=lambda each: each.width, default=None)
        return picture(made) if made else None

    @admin.display(empty_value="none")
    def sizes(self, photo: Photo) -> str | None:
        """List the sizes that have been made."""
        return ", ".join(f"{made.size} {made.width}×{made.height}" for made in photo.thumbnails.all()) or None


@admin.register(ContactSheet)
class ContactSheetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The contact sheets."""

    list_display = ("name", "sheet", "made_at")
    fields = ("name", "sheet", "made_at")
    readonly_fields = fields

    def sheet(self, made: ContactSheet) -> SafeString:
        """Show the sheet."""
        return picture(made)


@admin.register(DemoRun)
class DemoRunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The runs of `manage.py demo`."""

    list_display = ("started_at", "first_job")
    readonly_fields = ("started_at", "first_job", "doomed")
