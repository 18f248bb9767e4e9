"""The guide's job functions, called inline: what they write, once and twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from django_jobs import PermanentError, TransientError
from django_jobs.context import running
from django_jobs.notebook import Notebook
from example_project.airports.catalogue import BOMB, BROKEN, catalogue
from example_project.airports.jobs import import_airports, make_contact_sheet, make_thumbnail
from example_project.airports.models import Airport, ContactSheet, Import, Photo, Thumbnail
from example_project.airports.pictures import SIZES
from tests.test_retries import JOB

pytestmark = pytest.mark.django_db


def test_a_batch_is_imported_with_the_report_of_its_rejected_rows() -> None:
    report = import_airports("closed_airports.csv", 0, 500)
    assert report["imported"] == Airport.objects.count() == 4
    assert report["rows"] == 12
    assert [rejection["line"] for rejection in report["rejected"]] == [4, 6, 7, 9, 10, 11, 12, 13]
    assert Import.objects.get().report() == report


def test_a_batch_tells_on_its_job_s_page_what_it_rejected() -> None:
    run = replace(JOB, notebook=Notebook())
    with running(run):
        import_airports("closed_airports.csv", 0, 500)
    progress, _, log = run.notebook.note
    assert str(progress) == "4 of 12 (33 %), imported of closed_airports.csv"
    assert [line.split(":")[0] for line in str(log).splitlines()[:2]] == ["line 4", "line 6"]


def test_a_second_run_imports_nothing_and_returns_the_same_report() -> None:
    first = import_airports("airportsdata", 1000, 50)
    assert import_airports("airportsdata", 1000, 50) == first
    assert (Import.objects.count(), Airport.objects.count()) == (1, 50)


def test_a_batch_that_fails_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Airport.objects, "bulk_create", broken)
    with pytest.raises(OSError, match="disk is full"):
        import_airports("airportsdata", 0, 50)
    assert not Import.objects.exists()


def test_an_airport_of_another_batch_is_rejected() -> None:
    import_airports("airportsdata", 0, 10)
    report = import_airports("airportsdata", 5, 10)
    assert report["imported"] == 5
    assert report["rejected"][0] == {"line": 7, "reason": "00AS is in the guide already"}


def test_a_file_that_cannot_be_read_is_not_tried_again() -> None:
    with pytest.raises(PermanentError, match="latin1"):
        import_airports("airfields_of_brazil_latin1.csv", 0, 500)
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    ("source", "first_row"), [("../settings.py", 0), ("..", 0), ("no.csv", 0), ("closed_airports.csv", -1)]
)
def test_rows_that_the_guide_does_not_have_are_not_tried_again(source: str, first_row: int) -> None:
    with pytest.raises(PermanentError, match="cannot be read"):
        import_airports(source, first_row, 500)
    assert not Import.objects.exists()


def test_a_size_that_is_none_is_not_tried_again() -> None:
    with pytest.raises(PermanentError, match="no size 'huge', only small, medium, large"):
        make_thumbnail("coffee.jpg", "huge")


@pytest.mark.parametrize("size", SIZES)
def test_a_thumbnail_fits_its_size_and_keeps_its_licence(size: str, media: Path) -> None:
    made = make_thumbnail("rocket.jpg", size)
    with Image.open(media / f"thumbnails/rocket-{size}.jpg") as image:
        assert image.size == (made["width"], made["height"])
        assert max(image.size) == SIZES[size]
    assert Photo.objects.get().terms == "released in the public domain"


def test_a_thumbnail_made_twice_is_there_once(media: Path) -> None:
    assert make_thumbnail("coffee.jpg", "small") == make_thumbnail("coffee.jpg", "small")
    assert Thumbnail.objects.count() == 1
    assert [path.name for path in (media / "thumbnails").iterdir()] == ["coffee-small.jpg"]


@pytest.mark.parametrize("size", SIZES)
def test_a_truncated_photograph_has_no_thumbnail(size: str) -> None:
    with pytest.raises(OSError, match="truncated"):
        make_thumbnail(BROKEN, size)
    assert not Thumbnail.objects.exists()


@pytest.mark.parametrize("size", SIZES)
def test_a_decompression_bomb_is_refused_for_good(size: str) -> None:
    with pytest.raises(PermanentError, match=r"a bomb: Image size \(200000000 pixels\)"):
        make_thumbnail(BOMB, size)
    assert not Thumbnail.objects.exists()


def test_a_picture_that_pillow_would_only_warn_of_is_a_bomb_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", catalogued_pixels("coffee.jpg") - 1)
    with pytest.raises(PermanentError, match="a bomb"):
        make_thumbnail("coffee.jpg", "small")


def catalogued_pixels(name: str) -> int:
    with Image.open(catalogue()[name].path) as image:
        return image.width * image.height


def test_a_photograph_outside_the_catalogue_is_refused_for_good() -> None:
    with pytest.raises(PermanentError, match=r"settings\.py"):
        make_thumbnail("../settings.py", "small")


def test_the_contact_sheet_waits_for_the_thumbnails_it_shows(media: Path) -> None:
    make_thumbnail("coffee.jpg", "small")
    with pytest.raises(TransientError, match=r"no small thumbnail yet of camera\.jpg$"):
        make_contact_sheet("two", ["coffee.jpg", "camera.jpg"])
    make_thumbnail("camera.jpg", "small")
    made = make_contact_sheet("two", ["coffee.jpg", "camera.jpg"])
    assert ContactSheet.objects.get().width == made["width"] == 2 * (SIZES["small"] + 8) + 8


def test_the_catalogue_names_source_and_terms_of_every_photograph() -> None:
    entries = catalogue()
    assert {entry.path.name for entry in entries.values()} == set(entries)
    assert all(entry.path.is_file() and entry.author and entry.terms for entry in entries.values())
    assert {path.name for path in entries[BROKEN].path.parent.iterdir() if path.suffix != ".md"} == set(
        entries
    )
