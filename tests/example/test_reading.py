"""What of a file becomes an airport, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from example_project.airports import reading
from example_project.airports.reading import COLUMNS, count_rows, read_batch

HEADER = ",".join(["column"] * COLUMNS)
GOOD = 'EDDF,FRA,Frankfurt Airport,"Frankfurt,\nMain",Hesse,DE,364,50.026389,8.543333,Europe/Berlin,'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the guide's data lie in a folder of the test's own."""
    monkeypatch.setattr(reading, "DATA", tmp_path)
    return tmp_path


def source(folder: Path, *rows: str) -> str:
    (folder / "airports.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return "airports.csv"


def test_a_good_row_becomes_an_airport(folder: Path) -> None:
    (airport,) = read_batch(source(folder, GOOD), 0, 10).airports.values()
    assert (airport.code, airport.iata, airport.country) == ("EDDF", "FRA", "DE")
    assert (float(airport.latitude), float(airport.longitude)) == (50.026389, 8.543333)


@pytest.mark.parametrize(
    ("wrong", "right", "reason"),
    [
        (",Hesse", "", "10 columns instead of 11"),
        ("50.026389", "123", "latitude: Ensure this value is less than or equal to 90."),
        ("8.543333", "-181", "longitude: Ensure this value is greater than or equal to -180."),
        ("364", "sea level", "elevation: “sea level” value must be a decimal number."),
        ("50.026389", "nan", "latitude: “nan” value must be a decimal number."),
        ("EDDF", "eddf!", "code: Enter a valid value."),
        ("Frankfurt Airport", "", "name: This field cannot be blank."),
    ],
)
def test_a_bad_row_is_rejected_with_its_line_and_the_reason(
    folder: Path, wrong: str, right: str, reason: str
) -> None:
    batch = read_batch(source(folder, GOOD.replace(wrong, right)), 0, 10)
    assert not batch.airports
    ((line, said),) = batch.rejected
    assert line == 3  # the row's last one: a quoted line break is part of it
    assert said.startswith(reason)


def test_a_code_that_comes_twice_is_rejected_the_second_time(folder: Path) -> None:
    batch = read_batch(source(folder, GOOD, GOOD), 0, 10)
    assert list(batch.airports) == [3]
    assert batch.rejected == [(5, "EDDF stands in line 3 already")]


def test_an_empty_line_is_rejected_and_the_next_row_read(folder: Path) -> None:
    batch = read_batch(source(folder, "", GOOD), 0, 10)
    assert (list(batch.airports), batch.rejected) == ([4], [(2, "0 columns instead of 11")])


def test_batches_cover_a_source_without_gap_or_overlap() -> None:
    total = count_rows("closed_airports.csv")
    together = [len(read_batch("closed_airports.csv", first, 5)) for first in range(0, total, 5)]
    assert sum(together) == total
    assert together[0] == 5


def test_the_airports_of_the_package_are_read_whole() -> None:
    batch = read_batch("airportsdata", 0, 500)
    assert (len(batch.airports), batch.rejected) == (500, [])


def test_a_file_in_another_encoding_is_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        read_batch("airfields_of_brazil_latin1.csv", 0, 500)
