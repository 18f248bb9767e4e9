"""Read one batch of an airports' CSV: the good rows, and why the others were rejected."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.core.exceptions import ValidationError

from example_project.airports.models import Airport

DATA = Path(__file__).resolve().parent.parent / "data"
FIELDS = (
    "code",
    "iata",
    "name",
    "city",
    "region",
    "country",
    "elevation",
    "latitude",
    "longitude",
    "time_zone",
)
# The last column of the file, the FAA's own code, is not in the guide.
COLUMNS = len(FIELDS) + 1


class Rejection(NamedTuple):
    """A row that was not imported."""

    line: int
    reason: str


@dataclass
class Batch:
    """What was read: airports not yet stored, by their line, and the rejected rows."""

    airports: dict[int, Airport] = field(default_factory=dict)
    rejected: list[Rejection] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.airports) + len(self.rejected)


def path_of(source: str) -> Path:
    """Return where a source lies: the package airportsdata's own file, or one of the data folder.

    Raises:
        ValueError: there is none of that name, as where it leads out of the folder.
    """
    if source == "airportsdata":
        return Path(str(files("airportsdata"))) / "airports.csv"
    if source not in {path.name for path in DATA.iterdir()}:
        raise ValueError(f"there is no source {source!r}")
    return DATA / source


def count_rows(source: str) -> int:
    """Return how many rows a source has, the header aside, whatever is wrong with them."""
    with path_of(source).open(encoding="utf-8", errors="replace", newline="") as lines:
        return sum(1 for _ in csv.reader(lines)) - 1


def read_batch(source: str, first_row: int, rows: int) -> Batch:
    """Return rows `first_row` to `first_row + rows` of a source, each read or rejected.

    Raises:
        ValueError: there is no such source, no such row, or the file is not UTF-8.
    """
    if first_row < 0:
        raise ValueError(f"rows are counted from 0, not from {first_row}")
    batch = Batch()
    lines_of: dict[str, int] = {}
    for line, row in _numbered(source, first_row, rows):
        try:
            airport = _airport(row)
        except ValueError as error:
            batch.rejected.append(Rejection(line, str(error)))
            continue
        if (earlier := lines_of.setdefault(airport.code, line)) != line:
            batch.rejected.append(Rejection(line, f"{airport.code} stands in line {earlier} already"))
        else:
            batch.airports[line] = airport
    return batch


def _numbered(source: str, first_row: int, rows: int) -> Iterator[tuple[int, list[str]]]:
    with path_of(source).open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        for row in islice(reader, first_row + 1, first_row + 1 + rows):
            yield reader.line_num, row


def _airport(row: list[str]) -> Airport:
    if len(row) != COLUMNS:
        raise ValueError(f"{len(row)} columns instead of {COLUMNS}")
    airport = Airport(**dict(zip(FIELDS, row, strict=False)))
    try:
        airport.clean_fields(exclude=["id", "batch"])
    except ValidationError as error:
        raise ValueError(_in_one_line(error)) from error
    return airport


def _in_one_line(error: ValidationError) -> str:
    return "; ".join(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())
