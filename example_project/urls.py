"""The guide is its admin; the thumbnails are served while DEBUG is on."""

from __future__ import annotations

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
