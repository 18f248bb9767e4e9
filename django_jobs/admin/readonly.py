"""What the pages share: to be looked at, never written, and quick with millions of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from django_jobs.admin.paging import CappedPaginator
from django_jobs.serializers.limits import clean

Row = TypeVar("Row", bound=Model)

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    class _ModelAdmin(admin.ModelAdmin[Row]):
        pass

else:

    class _ModelAdmin(admin.ModelAdmin, Generic[Row]):
        """A ModelAdmin that may be named with its model, as the type checker wants it."""


class ReadOnlyAdmin(_ModelAdmin[Row]):
    """A model admin that shows and never writes.

    Subclass it together with another package's ModelAdmin: every method calls super().

    Attributes:
        own_lookups: the query parameters a list takes besides its filters. Others are refused:
            one on an unindexed column would read every row.
        empty: what an empty list says, where no filter is the reason.
    """

    actions: Any = None
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    # Columns are sorted by the indexes alone.
    sortable_by = ()
    own_lookups: frozenset[str] = frozenset()
    empty: StrOrPromise = ""

    class Media:
        css = {"all": ["django_jobs/admin.css"]}

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow the lookups this list was made for."""
        filters = {getattr(each, "parameter_name", None) for each in self.get_list_filter(request)}
        return lookup in self.own_lookups | filters

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Let an empty list say what would be on it."""
        return super().changelist_view(request, {"empty": self.empty, **(extra_context or {})})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Row | None:
        """Find a row by its key, none by a text that PostgreSQL would refuse to look for."""
        return super().get_object(request, clean(object_id), from_field)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Jobs are enqueued by code."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the engines change a row."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted by hand."""
        return False

    def page_of(self, model_name: str, pk: object, label: object) -> SafeString:
        """Return a link to a row's page on this very admin site."""
        url = reverse(f"admin:django_jobs_{model_name}_change", args=[pk], current_app=self.admin_site.name)
        return format_html('<a href="{}">{}</a>', url, label)

    def list_of(self, model_name: str, query: str, label: object) -> SafeString:
        """Return a link to a list on this very admin site."""
        url = reverse(f"admin:django_jobs_{model_name}_changelist", current_app=self.admin_site.name)
        return format_html('<a href="{}?{}">{}</a>', url, query, label)
