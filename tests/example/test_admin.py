"""The guide's pages in the admin."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from example_project.airports.jobs import import_airports, make_contact_sheet, make_thumbnail
from example_project.airports.models import Airport, ContactSheet, DemoRun, Import, Photo

MODELS = (Airport, ContactSheet, DemoRun, Import, Photo)


def page(client: Client, name: str, *args: object) -> str:
    response = client.get(reverse(f"admin:airports_{name}", args=args))
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_an_empty_list_opens(admin_client: Client, model: type) -> None:
    assert "0 " in page(admin_client, f"{model.__name__.lower()}_changelist")


def test_airports_can_be_searched(admin_client: Client) -> None:
    import_airports("closed_airports.csv", 0, 500)
    found = admin_client.get(reverse("admin:airports_airport_changelist"), {"q": "kai tak"}).content.decode()
    assert "VHHX" in found
    assert "EDDI" not in found


def test_the_report_of_an_import_can_be_read(admin_client: Client) -> None:
    import_airports("closed_airports.csv", 0, 500)
    assert "<li>line 9: EDDI stands in line 2 already</li>" in page(
        admin_client, "import_change", Import.objects.get().pk
    )


def test_an_import_without_rejected_rows_says_so(admin_client: Client) -> None:
    import_airports("airportsdata", 0, 5)
    assert "no row was rejected" in page(admin_client, "import_change", Import.objects.get().pk)


def test_a_photo_shows_its_thumbnails(admin_client: Client) -> None:
    for size in ("small", "large"):
        make_thumbnail("coffee.jpg", size)
    assert 'src="/media/thumbnails/coffee-small.jpg"' in page(admin_client, "photo_changelist")
    assert 'src="/media/thumbnails/coffee-large.jpg"' in page(
        admin_client, "photo_change", Photo.objects.get().pk
    )


def test_the_contact_sheet_is_shown(admin_client: Client) -> None:
    make_thumbnail("coffee.jpg", "small")
    make_contact_sheet("one", ["coffee.jpg"])
    assert 'src="/media/sheets/one.jpg"' in page(admin_client, "contactsheet_changelist")
    assert 'src="/media/sheets/one.jpg"' in page(
        admin_client, "contactsheet_change", ContactSheet.objects.get().pk
    )
