"""What rows have come to, kept in one file with a line of JSON for each run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Record:
    """One run of a row.

    Attributes:
        digest: of the code that was put to the test.
        outcome: passed, failed, or skipped where no case could run.
        cases: how many passed, failed, were skipped.
        failed: the cases that did.
        reasons: why cases were skipped.
        sizes: how much was done, as the tests say.
        figures: what was measured, with times, median and worst.
    """

    test: str
    database: str
    digest: str
    outcome: str
    seed: int
    seconds: float
    commit: str
    day: str
    machine: str
    versions: dict[str, str]
    cases: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    sizes: list[str] = field(default_factory=list)
    figures: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Where the test is, or was."""
        return self.test.partition("::")[0]

    @property
    def key(self) -> tuple[str, str]:
        """Which row it is of."""
        return self.test, self.database


class Records:
    """The file of records, always whole on the disk.

    A row's runs with older code go with its first run with newer; one that failed stays beside one that
    passed later with the same code.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        lines = file.read_text().splitlines() if file.exists() else []
        self.all = [Record(**json.loads(line)) for line in lines]

    def of(self, key: tuple[str, str]) -> list[Record]:
        """Return the runs of a row, the newest last."""
        return [record for record in self.all if record.key == key]

    def newest(self, key: tuple[str, str]) -> Record | None:
        """Return the newest run of a row."""
        return (self.of(key) or [None])[-1]

    def add(self, record: Record) -> None:
        """Store a run."""
        self.forget(lambda other: other.key == record.key and other.digest != record.digest)
        self.all.append(record)
        self._save()

    def forget(self, is_over: Callable[[Record], bool]) -> None:
        """Remove the runs of which this is true."""
        kept = [record for record in self.all if not is_over(record)]
        if kept != self.all:
            self.all = kept
            self._save()

    def _save(self) -> None:
        # Stable: the runs of a row stay in their order, whatever else was run between.
        self.all.sort(key=lambda record: record.key)
        write_whole(self._file, "".join(_line(record) for record in self.all))


def _line(record: Record) -> str:
    said: dict[str, Any] = {name: value for name, value in asdict(record).items() if value not in ({}, [])}
    return json.dumps(said, ensure_ascii=False) + "\n"


def write_whole(file: Path, text: str) -> None:
    """Write a file so that whoever is killed meanwhile leaves the old one."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.write_text(text)
    new.replace(file)
